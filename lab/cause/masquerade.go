package cause

import (
	"errors"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// masquerade follows the pod's first packet through the chains that may
// translate its source. Without a translation Outside answers to an address
// that it has no way to.
func (f *finder) masquerade() error {
	if !f.wants(Outside) || len(f.Masquerade) == 0 || !f.uplink.there() {
		return nil
	}
	p := packet{
		hook: "postrouting", out: f.uplink, src: f.Pod.Addr(), dst: f.Outside,
		proto: unix.IPPROTO_ICMP, icmp: 8, state: expr.CtStateBitNEW,
	}
	chains, err := f.firewall.NftChains()
	if err != nil {
		return err
	}
	bases, err := entered(chains, routed, p.hook, nftables.ChainTypeNAT)
	if err != nil {
		return err
	}
	var walks []walked
	for _, c := range bases {
		w := walk{rules: f.nftRules(p, kernel.FamilyOf(c), c.Table.Name)}
		if err := w.run(c.Name, policyWord(c)); err != nil {
			return err
		}
		walks = append(walks, walked{barrier{"nftables", kernel.FamilyOf(c), c.Table.Name, c.Name}, &w})
	}
	if translated(walks) != no {
		return nil // one that may do it is taken to do it
	}
	lines, err := f.firewall.LegacyRules("nat", "POSTROUTING")
	if err != nil {
		return err
	}
	if len(lines) > 0 {
		w := walk{rules: f.legacyRules(p, "nat")}
		if err := w.run("POSTROUTING", legacyPolicy(lines)); err != nil {
			return err
		}
		walks = append(walks, walked{barrier{"iptables-legacy", "ip", "nat", "POSTROUTING"}, &w})
		if translated(walks) != no {
			return nil
		}
	}
	return f.untranslated(walks)
}

// walked is a walk through one base chain.
type walked struct {
	barrier
	*walk
}

func translated(walks []walked) answer {
	most := no
	for _, w := range walks {
		a, _ := w.happens(translates)
		most = max(most, a)
	}
	return most
}

func (f *finder) untranslated(walks []walked) error {
	repair, err := f.masquerading()
	if err != nil {
		return err
	}
	if repair == nil { // all is there, and something else comes first
		for _, w := range walks {
			if w.by.says == "accept" || w.by.says == "policy drop" {
				f.found(MasqueradeShadowed, f.showing(w.barrier), "pod", f.Pod.Addr().String(), "uplink", f.uplink.Name,
					"table", w.table, "chain", w.by.chain, "rule", w.by.says)
				return nil
			}
		}
	}
	for _, w := range walks {
		for _, r := range w.near {
			if r.unless != "" {
				if repair == nil {
					repair = f.showing(w.barrier)
				}
				f.found(MasqueradeElsewhere, repair, "pod", f.Pod.Addr().String(), "uplink", f.uplink.Name, "found", r.unless)
				return nil
			}
		}
	}
	if repair == nil {
		repair = lab.Command{"nft", "list", "ruleset"}
	}
	f.found(MasqueradeMissing, repair, "subnet", f.Subnet.String(), "uplink", f.uplink.Name)
	return nil
}

// masquerading is the command for the lab's own ops that are not as they should
// be, nil where all are. Several of nft's make one, between semicolons.
func (f *finder) masquerading() (lab.Command, error) {
	var missing []lab.Command
	for _, o := range f.Masquerade {
		var differs *lab.Mismatch
		switch err := o.Verify(f.kernel); {
		case errors.As(err, &differs):
			missing = append(missing, o.Command())
		case err != nil:
			return nil, err
		}
	}
	switch len(missing) {
	case 0:
		return nil, nil
	case 1:
		return missing[0], nil
	}
	script := make([]string, len(missing))
	for i, c := range missing {
		if c[0] != "nft" {
			return missing[0], nil
		}
		script[i] = strings.Join(c[1:], " ")
	}
	return lab.Command{"nft", strings.Join(script, "; ")}, nil
}
