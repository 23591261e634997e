package op

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/google/nftables"

	"netlab/lab"
	"netlab/lab/kernel"
)

// IptablesAppend adds a rule at the end of a chain of the host's iptables. What
// makes it that rule is all it says, its comment above all.
type IptablesAppend struct {
	Table string `json:"table"`
	Chain string `json:"chain"`
	// Match is what the rule matches, as words: "-s", "1.1.1.0/24".
	Match []string `json:"match,omitempty"`
	// Comment marks the rule as ours. Empty: none; Verify then accepts a rule
	// with any comment, such as one that was added by hand.
	Comment string `json:"comment,omitempty"`
	Jump    string `json:"jump"` // the target: "MASQUERADE"
	// NFT: this machine's iptables is the nft variant (kernel.IPTables), which
	// makes the table and the chain when they are first needed. The legacy
	// variant has the kernel register the table in the namespace instead, which
	// nothing can take back.
	NFT bool `json:"nft,omitempty"`
	// Program is what that variant is called on this machine, for showing; empty:
	// "iptables".
	Program string `json:"program,omitempty"`
}

func (IptablesAppend) Kind() string { return "iptables-append" }

func (o IptablesAppend) Command() lab.Command { return o.command("-A") }

func (o IptablesAppend) command(verb string) lab.Command {
	c := lab.Command{cmp.Or(o.Program, "iptables")}
	if o.Table != "filter" { // which is what iptables means without a word
		c = append(c, "-t", o.Table)
	}
	return append(append(c, verb, o.Chain), o.rule()...)
}

// rule is the rule as iptables takes it.
func (o IptablesAppend) rule() []string {
	words := append([]string(nil), o.Match...)
	if o.Comment != "" {
		words = append(words, "-m", "comment", "--comment", o.Comment)
	}
	return append(words, "-j", o.Jump)
}

// Shared: the nft variant's table goes when the last user of it goes.
func (o IptablesAppend) Shared() string {
	if !o.NFT {
		return ""
	}
	return nftShared("ip", o.Table)
}

// Undo deletes the rule, and with the nft variant what came with it.
func (o IptablesAppend) Undo() []lab.Op { return o.undo(true, true) }

// undo takes away the chain and the table too if the rule brings them along.
func (o IptablesAppend) undo(chain, table bool) []lab.Op {
	ops := []lab.Op{IptablesDelete(o)}
	if o.NFT && chain && builtin(o.Chain) {
		ops = append(ops, IptablesDelChain{Table: o.Table, Chain: o.Chain})
		if table {
			ops = append(ops, NftTableDel{Family: "ip", Table: o.Table})
		}
	}
	return ops
}

// builtin tells whether iptables makes the chain itself when it is needed.
func builtin(chain string) bool {
	switch chain {
	case "PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING":
		return true
	}
	return false
}

// Inverse tells by netlink what the nft variant will have to make, and runs
// iptables only where the rule may be there already.
func (o IptablesAppend) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	if o.NFT {
		f := k.Firewall()
		_, err := f.NftChain("ip", o.Table, o.Chain)
		if errors.Is(err, fs.ErrNotExist) { // then the rule can't be there
			_, err = f.NftTable("ip", o.Table)
			table := errors.Is(err, fs.ErrNotExist)
			if err != nil && !table {
				return nil, err
			}
			return o.undo(true, table), nil
		}
		if err != nil {
			return nil, err
		}
	}
	there, err := o.present(k)
	if err != nil {
		return nil, err
	}
	if there {
		return nil, fmt.Errorf("iptables rule %s in %s %s: %w",
			lab.Command(o.rule()), o.Table, o.Chain, lab.ErrTaken)
	}
	return o.undo(false, false), nil
}

// present asks iptables for exactly this rule, unless a look is enough to know
// that it isn't there: no rule has the comment, or the legacy table is not
// registered, which asking would change.
func (o IptablesAppend) present(k *kernel.Kernel) (bool, error) {
	f := k.Firewall()
	if o.NFT && o.Comment != "" {
		marked, err := o.marked(k)
		if err != nil || len(marked) == 0 {
			return false, err
		}
	}
	if !o.NFT {
		registered, err := f.LegacyTable(o.Table)
		if err != nil || !registered {
			return false, err
		}
	}
	t, err := f.IPTablesOf(o.NFT)
	if err != nil {
		return false, err
	}
	return t.Check(o.Table, o.Chain, o.rule()...)
}

// marked reads by netlink the rules of the nft variant that have the comment.
func (o IptablesAppend) marked(k *kernel.Kernel) ([]*nftables.Rule, error) {
	return commented(k, "ip", o.Table, o.Chain, o.Comment)
}

func (o IptablesAppend) Apply(k *kernel.Kernel) error {
	t, err := k.Firewall().IPTablesOf(o.NFT)
	if err != nil {
		return err
	}
	return t.Append(o.Table, o.Chain, o.rule()...)
}

// Verify asks iptables itself for the rule, and reads the chain only to say
// what is there instead.
func (o IptablesAppend) Verify(k *kernel.Kernel) error {
	if o.Comment != "" {
		there, err := o.present(k)
		if err != nil || there {
			return err
		}
	}
	lines, err := o.lines(k)
	if err != nil {
		return err
	}
	found := "missing"
	want := parseRule(o.rule())
	for _, line := range lines {
		words := kernel.SplitRule(line)
		if len(words) < 2 || words[0] != "-A" {
			continue
		}
		rule := parseRule(words[2:])
		if rule.equal(want) && (o.Comment == "" || rule.comment == o.Comment) {
			return nil // with a comment: the program just failed to find it
		}
		if rule.comment == o.Comment || rule.equal(want) {
			found = strings.TrimPrefix(line, "-A "+o.Chain+" ")
		}
	}
	return &lab.Mismatch{
		Object: "iptables chain " + o.Table + " " + o.Chain, Field: "rule",
		Want: lab.Command(o.rule()).String(), Found: found,
	}
}

// lines lists the chain. What is not there has no lines: of a legacy table see
// present, and of a chain that is not there the nft variant says that it is
// "incompatible".
func (o IptablesAppend) lines(k *kernel.Kernel) ([]string, error) {
	f := k.Firewall()
	if o.NFT {
		_, err := f.NftChain("ip", o.Table, o.Chain)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	} else {
		registered, err := f.LegacyTable(o.Table)
		if err != nil || !registered {
			return nil, err
		}
	}
	t, err := f.IPTablesOf(o.NFT)
	if err != nil {
		return nil, err
	}
	lines, err := t.List(o.Table, o.Chain)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return lines, err
}
