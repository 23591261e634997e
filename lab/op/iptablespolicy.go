package op

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/google/nftables"

	"netlab/lab"
	"netlab/lab/kernel"
)

// IptablesPolicy sets what becomes of packets that no rule of a built-in chain of
// the host's filter table has decided on.
type IptablesPolicy struct {
	Chain  string `json:"chain"`  // "FORWARD"
	Policy string `json:"policy"` // "ACCEPT" or "DROP"
	// NFT is as in IptablesAppend.
	NFT bool `json:"nft,omitempty"`
	// Left is, in an undo, the policy that the lab left; empty: any.
	Left string `json:"left,omitempty"`
}

const filterTable = "filter"

func (IptablesPolicy) Kind() string { return "iptables-policy" }

func (o IptablesPolicy) Command() lab.Command {
	return lab.Command{"iptables", "-P", o.Chain, o.Policy}
}

// Undo can't know what was there before; see Inverse.
func (o IptablesPolicy) Undo() []lab.Op { return nil }
func (o IptablesPolicy) Shared() string { return "iptables policy " + o.Chain }

// Inverse takes away too what the nft variant will have to make for it. A legacy
// table stays registered (see IptablesAppend.NFT).
func (o IptablesPolicy) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	was, err := o.now(k)
	there := !errors.Is(err, fs.ErrNotExist)
	if err != nil && there {
		return nil, err
	}
	if was == o.Policy && there {
		return nil, nil
	}
	undo := []lab.Op{IptablesPolicy{Chain: o.Chain, Policy: was, NFT: o.NFT, Left: o.Policy}}
	if o.NFT && !there {
		undo = append(undo, IptablesDelChain{Table: filterTable, Chain: o.Chain})
		if _, err := k.Firewall().NftTable("ip", filterTable); errors.Is(err, fs.ErrNotExist) {
			undo = append(undo, NftTableDel{Family: "ip", Table: filterTable})
		} else if err != nil {
			return nil, err
		}
	}
	return undo, nil
}

// now reads the policy. A chain that is not there is fs.ErrNotExist, and has the
// policy that it will be made with.
func (o IptablesPolicy) now(k *kernel.Kernel) (string, error) {
	const atFirst = "ACCEPT"
	if o.NFT {
		c, err := k.Firewall().NftChain("ip", filterTable, o.Chain)
		switch {
		case err != nil:
			return atFirst, err
		case c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop:
			return "DROP", nil
		}
		return atFirst, nil
	}
	lines, err := k.Firewall().LegacyRules(filterTable, o.Chain)
	if err != nil {
		return "", err
	}
	if len(lines) == 0 {
		return atFirst, fmt.Errorf("iptables chain %s: %w", o.Chain, fs.ErrNotExist)
	}
	words := strings.Fields(lines[0])
	return words[len(words)-1], nil
}

// Apply, as an undo, leaves a policy alone that somebody else has set.
func (o IptablesPolicy) Apply(k *kernel.Kernel) error {
	if o.Left != "" {
		now, err := o.now(k)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("iptables chain %s: %w", o.Chain, lab.ErrGone)
		case err != nil:
			return err
		case now == o.Policy:
			return nil
		case now != o.Left:
			return fmt.Errorf("the policy of %s is %s, the lab left %s: %w", o.Chain, now, o.Left, lab.ErrChanged)
		}
	}
	t, err := k.Firewall().IPTablesOf(o.NFT)
	if err != nil {
		return err
	}
	return t.SetPolicy(filterTable, o.Chain, o.Policy)
}

func (o IptablesPolicy) Verify(k *kernel.Kernel) error {
	found, err := o.now(k)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if found != o.Policy {
		return &lab.Mismatch{Object: "iptables chain " + filterTable + " " + o.Chain, Field: "policy", Want: o.Policy, Found: found}
	}
	return nil
}
