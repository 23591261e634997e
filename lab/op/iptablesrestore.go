package op

import (
	"netlab/lab"
	"netlab/lab/kernel"
)

// IptablesRestore puts back, as the last of its chain, the rule that an IptablesDelete of
// the same fields deletes. It is an undo: where the rule stands, for the deletion was
// stopped before it was made, there is nothing to do, and no second one comes.
type IptablesRestore IptablesAppend

func (IptablesRestore) Kind() string           { return "iptables-restore" }
func (o IptablesRestore) Command() lab.Command { return IptablesAppend(o).Command() }

// Undo and Inverse: there is none, as of all that restores.
func (IptablesRestore) Undo() []lab.Op                           { return nil }
func (IptablesRestore) Inverse(*kernel.Kernel) ([]lab.Op, error) { return nil, nil }
func (o IptablesRestore) Shared() string                         { return IptablesAppend(o).Shared() }
func (o IptablesRestore) Verify(k *kernel.Kernel) error          { return IptablesAppend(o).Verify(k) }

func (o IptablesRestore) Apply(k *kernel.Kernel) error {
	there, err := IptablesAppend(o).present(k)
	if err != nil || there {
		return err
	}
	return IptablesAppend(o).Apply(k)
}
