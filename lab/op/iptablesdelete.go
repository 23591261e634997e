package op

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/google/nftables"

	"netlab/lab"
	"netlab/lab/kernel"
)

// IptablesDelete deletes the rule that an IptablesAppend of the same fields adds.
type IptablesDelete IptablesAppend

func (IptablesDelete) Kind() string           { return "iptables-delete" }
func (o IptablesDelete) Command() lab.Command { return IptablesAppend(o).command("-D") }
func (o IptablesDelete) Undo() []lab.Op       { return []lab.Op{IptablesAppend(o)} }

// Inverse puts the rule back only where it is gone: a deletion may be stopped before it
// is made.
func (o IptablesDelete) Inverse(*kernel.Kernel) ([]lab.Op, error) {
	return []lab.Op{IptablesRestore(o)}, nil
}

// Apply deletes the rule by netlink where that is sure to be the same: where the
// nft variant has one rule with the comment, and iptables says that it is this
// rule. `iptables-nft -D` waits for the kernel, 10 ms and more, when its socket
// closes; so does any nfnetlink socket that is the next to close.
func (o IptablesDelete) Apply(k *kernel.Kernel) error {
	rule := IptablesAppend(o)
	var err error
	switch marked, lookErr := rule.lookMarked(k); {
	case lookErr != nil:
		return lookErr
	case len(marked) == 1:
		err = rule.deleteMarked(k, marked[0])
	default:
		if err = rule.delete(k); errors.Is(err, fs.ErrNotExist) {
			err = rule.deleteListed(k, marked)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("iptables rule %s in %s %s: %w", lab.Command(rule.rule()), o.Table, o.Chain, lab.ErrGone)
	}
	return err
}

// lookMarked is marked, and no rules where rules can't be told by a comment.
func (o IptablesAppend) lookMarked(k *kernel.Kernel) ([]*nftables.Rule, error) {
	if !o.NFT || o.Comment == "" {
		return nil, nil
	}
	return o.marked(k)
}

// deleteMarked deletes by netlink the only rule that has the comment.
func (o IptablesAppend) deleteMarked(k *kernel.Kernel, marked *nftables.Rule) error {
	there, err := o.present(k)
	if err != nil { // %v: see delete
		return fmt.Errorf("the rule can't be looked at: %v", err)
	}
	if !there {
		return o.notThere(k)
	}
	return k.Firewall().DelNftRule("ip", o.Table, o.Chain, func(r *nftables.Rule) bool {
		return r.Handle == marked.Handle && sameRule(r, marked)
	})
}

// deleteListed deletes by netlink a rule that iptables lists as this one, and does not
// find: an iptables that could not ask the kernel for it has made it with another
// revision of a match. marked are the rules with its comment.
func (o IptablesAppend) deleteListed(k *kernel.Kernel, marked []*nftables.Rule) error {
	if len(marked) == 0 {
		return fs.ErrNotExist
	}
	lines, err := o.lines(k)
	if err != nil { // %v: see delete
		return fmt.Errorf("the rule can't be looked at: %v", err)
	}
	at, listed := -1, 0
	for _, line := range lines {
		words := kernel.SplitRule(line)
		if len(words) < 2 || words[0] != "-A" {
			continue
		}
		if rule := parseRule(words[2:]); rule.comment == o.Comment {
			if rule.equal(parseRule(o.rule())) {
				at = listed
			}
			listed++
		}
	}
	if at < 0 || listed != len(marked) { // another has changed the chain meanwhile
		return fs.ErrNotExist
	}
	return k.Firewall().DelNftRule("ip", o.Table, o.Chain, func(r *nftables.Rule) bool {
		return r.Handle == marked[at].Handle && sameRule(r, marked[at])
	})
}

// notThere judges a rule with the comment that iptables doesn't find: it does
// something else, or iptables could not read the chain, which it doesn't tell
// apart. Then it doesn't list the rule either, or lists it after all.
func (o IptablesAppend) notThere(k *kernel.Kernel) error {
	lines, err := o.lines(k)
	if err != nil { // %v: see delete
		return fmt.Errorf("the rule can't be looked at: %v", err)
	}
	for _, line := range lines {
		words := kernel.SplitRule(line)
		if len(words) < 2 || words[0] != "-A" {
			continue
		}
		rule := parseRule(words[2:])
		if rule.comment == o.Comment && !rule.equal(parseRule(o.rule())) {
			return fs.ErrNotExist
		}
	}
	return errors.New("iptables does not find the rule, though it is there")
}

// delete has iptables delete the rule.
func (o IptablesAppend) delete(k *kernel.Kernel) error {
	f := k.Firewall()
	if !o.NFT { // to ask for a table that is not registered would register it
		registered, err := f.LegacyTable(o.Table)
		if err != nil {
			return err
		}
		if !registered {
			return fs.ErrNotExist
		}
	}
	t, err := f.IPTablesOf(o.NFT)
	if err != nil { // %v: that there is no iptables does not mean that the rule is gone
		return fmt.Errorf("the rule can't be deleted: %v", err)
	}
	return t.Delete(o.Table, o.Chain, o.rule()...)
}

func (o IptablesDelete) Verify(k *kernel.Kernel) error {
	there, err := IptablesAppend(o).present(k)
	if err == nil && there {
		return &lab.Mismatch{
			Object: "iptables chain " + o.Table + " " + o.Chain, Field: "rule",
			Want: "gone", Found: lab.Command(IptablesAppend(o).rule()).String(),
		}
	}
	return err
}

// IptablesDelChain deletes a built-in chain of the nft variant that a rule has
// brought into being. A chain with a rule in it, or whose policy was changed,
// is in use.
type IptablesDelChain struct {
	Table string `json:"table"`
	Chain string `json:"chain"`
}

func (IptablesDelChain) Kind() string { return "iptables-del-chain" }

func (o IptablesDelChain) Command() lab.Command {
	return lab.Command{"iptables", "-t", o.Table, "-X", o.Chain}
}

func (o IptablesDelChain) Undo() []lab.Op { return nil } // the next rule makes it again

func (o IptablesDelChain) Inverse(*kernel.Kernel) ([]lab.Op, error) { return nil, nil }
func (o IptablesDelChain) Shared() string                           { return nftShared("ip", o.Table) }

// Apply goes by netlink: it is quicker than iptables and leaves the same.
func (o IptablesDelChain) Apply(k *kernel.Kernel) error {
	err := k.Firewall().DelNftChain("ip", o.Table, o.Chain, nftables.ChainPolicyAccept)
	return undone(err, "iptables chain "+o.Table+" "+o.Chain)
}

func (o IptablesDelChain) Verify(k *kernel.Kernel) error {
	_, err := k.Firewall().NftChain("ip", o.Table, o.Chain)
	return absent(err, "iptables chain "+o.Table+" "+o.Chain)
}
