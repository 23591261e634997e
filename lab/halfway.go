package lab

import (
	"errors"

	"netlab/lab/journal"
	"netlab/lab/kernel"
)

// An undo may be several changes in one, and be stopped between them.

// halfway writes down what completes an undo that is several changes, should it be
// stopped between them.
func (u *undo) halfway(e journal.Entry, o Op) error {
	several, ok := o.(interface {
		Halfway(*kernel.Kernel) (Op, bool, error)
	})
	if !ok {
		return nil
	}
	rest, ok, err := several.Halfway(u.Kernel)
	if errors.Is(err, ErrGone) { // Apply says so
		return nil
	}
	if err != nil || !ok {
		return err
	}
	encoded, err := encode([]Op{rest})
	if err != nil {
		return err
	}
	for _, t := range u.journal.Entries[e.Seq-1].Taken {
		if t.Kind == encoded[0].Kind && string(t.Op) == string(encoded[0].Op) {
			return nil
		}
	}
	// On a full disk the undo goes on all the same: it is whole unless it is stopped.
	if err := u.journal.Take(e.Seq, u.journal.Header.Lab, encoded); err != nil && !u.journal.Forgiving() {
		return err
	}
	return nil
}

// remains tells whether an undo that takes an object away was stopped halfway,
// with a part of the object left that has no identity.
func remains(k *kernel.Kernel, o Op) (bool, error) {
	halved, ok := o.(interface {
		Remains(*kernel.Kernel) (bool, error)
	})
	if !ok {
		return false, nil
	}
	return halved.Remains(k)
}

// comesAgain tells whether a step after the i-th that was begun and stopped has the
// same op: what it did before took the first one's effect along, as the deletion
// of an address takes routes, and it will do and verify it anew.
func (x *run) comesAgain(i int, o Op) (bool, error) {
	for _, later := range x.plan.Steps[i+1:] {
		if _, done := x.journal.Steps[later.ID]; done || !x.begun(later.ID) {
			continue
		}
		for _, l := range later.All() {
			if same, err := sameOp(o, l); err != nil || same {
				return same, err
			}
		}
	}
	return false, nil
}
