package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/coreos/go-iptables/iptables"
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// Barrier is a place in the host's firewall that stops every IPv4 packet which
// no earlier rule of its chain has let through: a base chain's policy, or a rule
// of a base chain without a condition. A verdict to accept in one base chain
// does not spare a packet the next one.
type Barrier struct {
	Backend string // "nftables", which has what iptables-nft makes too, or "iptables-legacy"
	Family  string // "ip" or "inet"
	Table   string
	Chain   string
	Hook    string // "forward", "input"
	Policy  string // the chain's policy: "drop" or "accept"
	Rule    string // what the rule does, "drop" or "reject"; empty: the policy is the barrier
}

func (b Barrier) String() string {
	if b.Rule != "" {
		return fmt.Sprintf("%s %s %s %s: %s", b.Backend, b.Family, b.Table, b.Chain, b.Rule)
	}
	return fmt.Sprintf("%s %s %s %s: policy %s", b.Backend, b.Family, b.Table, b.Chain, b.Policy)
}

// Barriers lists the barriers at a hook of the host, "forward" or "input". The
// policies are complete; the rules are a best effort: those behind a jump, or
// whose conditions only amount to everything, are not found. Where the list of
// legacy tables can't be read, which is so in a user namespace, asking
// registers the legacy filter table there.
func (f *Firewall) Barriers(hook string) ([]Barrier, error) {
	found, err := f.nftBarriers(hook)
	if err != nil {
		return nil, err
	}
	legacy, err := f.legacyBarriers(hook)
	return append(found, legacy...), err
}

func (f *Firewall) nftBarriers(hook string) ([]Barrier, error) {
	number, err := NftHook(hook)
	if err != nil {
		return nil, err
	}
	var found []Barrier
	err = f.withNft(func(n *nft) error {
		_, err := n.settled(func() error {
			found = nil
			chains, err := n.ListChains()
			if err != nil {
				return err
			}
			for _, c := range chains {
				if c.Hooknum == nil || *c.Hooknum != number {
					continue
				}
				more, err := n.barriersOf(c, hook)
				if err != nil {
					return err
				}
				found = append(found, more...)
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the nftables chains at %s: %w", hook, err)
	}
	return found, nil
}

func (n *nft) barriersOf(c *nftables.Chain, hook string) ([]Barrier, error) {
	b := Barrier{
		Backend: "nftables", Family: FamilyOf(c),
		Table: c.Table.Name, Chain: c.Name, Hook: hook, Policy: "accept",
	}
	if b.Family == "" {
		return nil, nil
	}
	var found []Barrier
	if c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop {
		b.Policy = "drop"
		found = append(found, b)
	}
	rules, err := n.GetRules(c.Table, c)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		if b.Rule = unconditional(r.Exprs); b.Rule != "" {
			return append(found, b), nil
		}
	}
	return found, nil
}

// unconditional is what a rule without a condition does: "drop", "reject", or
// nothing of that kind.
func unconditional(exprs []expr.Any) string {
	for _, e := range exprs {
		switch e := e.(type) {
		case *expr.Counter, *expr.Log:
		case *expr.Match:
			if e.Name != "comment" {
				return ""
			}
		case *expr.Verdict:
			if e.Kind == expr.VerdictDrop {
				return "drop"
			}
			return ""
		case *expr.Reject:
			return "reject"
		case *expr.Target:
			if e.Name == "REJECT" {
				return "reject"
			}
			return ""
		default:
			return ""
		}
	}
	return ""
}

// legacyBarriers asks iptables-legacy where a legacy table is registered.
func (f *Firewall) legacyBarriers(hook string) ([]Barrier, error) {
	const table = "filter" // the tables beside it are not for filtering
	there, err := f.LegacyTable(table)
	if err != nil || !there {
		return nil, err
	}
	legacy, err := f.IPTablesOf(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b := Barrier{
		Backend: "iptables-legacy", Family: "ip",
		Table: table, Chain: strings.ToUpper(hook), Hook: hook, Policy: "accept",
	}
	rules, err := legacy.List(b.Table, b.Chain)
	var refused *iptables.Error
	if errors.As(err, &refused) && refused.ExitStatus() == 3 { // the kernel has no such table
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []Barrier
	for _, r := range rules {
		switch words := strings.Fields(r); {
		case slices.Equal(words, []string{"-P", b.Chain, "DROP"}):
			b.Policy = "drop"
			found = append(found, b)
		case len(words) < 4 || words[2] != "-j":
		case words[3] == "DROP" || words[3] == "REJECT":
			b.Rule = strings.ToLower(words[3])
			return append(found, b), nil
		}
	}
	return found, nil
}
