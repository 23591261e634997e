package doctor

import (
	"slices"
	"strings"

	"github.com/google/nftables"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// native are rules that no iptables shows, in chains that a lab's packets go
// through.
func native(q Question) ([]machine.Finding, error) {
	f := q.Kernel.Firewall()
	chains, err := f.NftChains()
	if err != nil {
		return nil, err
	}
	var with []string
	for _, c := range chains {
		if !isNative(c) {
			continue
		}
		n, err := countRules(f, kernel.FamilyOf(c), c)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			with = append(with, kernel.FamilyOf(c)+" "+c.Table.Name+" "+c.Name)
		}
	}
	return judgeNative(with), nil
}

func judgeNative(chains []string) []machine.Finding {
	if len(chains) == 0 {
		return nil
	}
	slices.Sort(chains)
	return []machine.Finding{warn(NativeRules, lab.Command{"nft", "list", "ruleset"}, "chains", strings.Join(chains, ", "))}
}

// isNative tells whether a chain is a base chain on the way of what the host
// forwards, and neither iptables' nor that of a lab.
func isNative(c *nftables.Chain) bool {
	hooks := []nftables.ChainHook{*nftables.ChainHookPrerouting, *nftables.ChainHookForward, *nftables.ChainHookPostrouting}
	return c.Hooknum != nil && slices.Contains(hooks, *c.Hooknum) && kernel.FamilyOf(c) != "" &&
		!ofIptables(c) && !strings.HasPrefix(c.Table.Name, tableMark)
}
