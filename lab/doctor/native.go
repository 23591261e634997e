package doctor

import (
	"slices"
	"strings"

	"github.com/google/nftables"

	"netlab/lab"
	"netlab/lab/machine"
)

// native are rules that no iptables shows, in chains that a lab's packets go
// through.
func native(q Question) ([]machine.Finding, error) {
	f := q.Kernel.Firewall()
	chains, err := nftChains(f)
	if err != nil {
		return nil, err
	}
	var with []string
	for _, c := range chains {
		if !isNative(c) {
			continue
		}
		n, err := countRules(f, familyOf(c), c)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			with = append(with, familyOf(c)+" "+c.Table.Name+" "+c.Name)
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
	return c.Hooknum != nil && slices.Contains(hooks, *c.Hooknum) && familyOf(c) != "" &&
		!ofIptables(c) && !strings.HasPrefix(c.Table.Name, "netlab-")
}

// familyOf is the family as nft writes it, of those that IPv4 goes through.
func familyOf(c *nftables.Chain) string {
	switch c.Table.Family {
	case nftables.TableFamilyIPv4:
		return "ip"
	case nftables.TableFamilyINet:
		return "inet"
	}
	return ""
}
