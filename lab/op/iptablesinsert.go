package op

import (
	"netlab/lab"
	"netlab/lab/kernel"
)

// IptablesInsert adds the rule that an IptablesAppend of the same fields adds, but
// before all others of its chain, so that none of them comes first. Where it stands
// is not read back: others may put theirs before it.
type IptablesInsert IptablesAppend

func (IptablesInsert) Kind() string           { return "iptables-insert" }
func (o IptablesInsert) Command() lab.Command { return IptablesAppend(o).command("-I") }
func (o IptablesInsert) Shared() string       { return IptablesAppend(o).Shared() }

// Undo deletes the rule: what it is inserted before was there, its chain at least.
func (o IptablesInsert) Undo() []lab.Op { return []lab.Op{IptablesDelete(o)} }

// Inverse takes away the chain too, should it have gone in the meantime and come
// back with the rule.
func (o IptablesInsert) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	return IptablesAppend(o).Inverse(k)
}

func (o IptablesInsert) Apply(k *kernel.Kernel) error {
	t, err := k.Firewall().IPTablesOf(o.NFT)
	if err != nil {
		return err
	}
	return t.Insert(o.Table, o.Chain, o.rule()...)
}

func (o IptablesInsert) rule() []string { return IptablesAppend(o).rule() }

func (o IptablesInsert) Verify(k *kernel.Kernel) error { return IptablesAppend(o).Verify(k) }
