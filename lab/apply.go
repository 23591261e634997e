package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"netlab/lab/journal"
)

// applied finds the step's ops that an earlier run has applied, by their place
// in the step. A teardown that was stopped may have undone any of the others.
func (x *run) applied(step Step) (map[int]bool, error) {
	type key struct{ group, kind, op string }
	done := map[key]int{} // how many times: a step may do the same twice
	for i := range x.journal.Entries {
		if e := &x.journal.Entries[i]; e.Step == step.ID && e.Done && !e.Undone {
			done[key{e.Group, e.Op.Kind, string(e.Op.Op)}]++
		}
	}
	found := map[int]bool{}
	if len(done) == 0 {
		return found, nil
	}
	n := 0
	for group, o := range step.All() {
		encoded, err := encode([]Op{o})
		if err != nil {
			return nil, err
		}
		k := key{group, encoded[0].Kind, string(encoded[0].Op)}
		if done[k] > 0 {
			done[k]--
			found[n] = true
		}
		n++
	}
	return found, nil
}

// op does one op, or reads back one that was done before.
func (x *run) op(ctx context.Context, at journal.Place, o Op, applied bool) error {
	if err := interrupted(ctx); err != nil {
		return err
	}
	x.emit(Event{Type: OpStart, Lab: x.plan.Lab, Step: at.Step, Group: at.Group, Command: o.Command().String()})
	if !applied {
		if err := x.do(at, o); err != nil {
			return x.opFailed(at, o, err)
		}
	}
	if err := o.Verify(x.Kernel); err != nil {
		return x.opFailed(at, o, err)
	}
	x.emit(Event{Type: OpDone, Lab: x.plan.Lab, Step: at.Step, Group: at.Group, Command: o.Command().String()})
	return nil
}

// do applies an op. When that fails, whether it changed anything is not known:
// it is undone, which leaves alone what was not done.
func (x *run) do(at journal.Place, o Op) error {
	seq, err := x.apply(at, o)
	if err != nil && seq > 0 {
		err = errors.Join(err, x.undoQuietly(x.journal, x.journal.Entries[seq-1]))
	}
	return err
}

// apply writes down what undoes the op, applies it, and writes down what it
// made. It returns the op's number in the journal, 0 when it was not announced.
// An op on what labs share is done under their common lock, so that what it
// reads stays true until it is applied.
func (x *run) apply(at journal.Place, o Op) (seq int, err error) {
	release, err := x.lockShared(o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, release()) }()
	i, err := x.intent(at, o)
	if err != nil {
		return 0, err
	}
	seq, err = x.journal.Intend(at, i.Op, i.Undo)
	if err != nil {
		return 0, err
	}
	if err := o.Apply(x.Kernel); err != nil {
		return seq, err
	}
	made, err := x.identify(o)
	if err != nil {
		return seq, err
	}
	return seq, x.journal.Done(seq, made)
}

func (x *run) identify(o Op) ([]journal.Made, error) {
	maker, ok := o.(Maker)
	if !ok {
		return nil, nil
	}
	var made []journal.Made
	for _, ref := range maker.Makes() {
		m, err := x.made(ref)
		if err != nil {
			return nil, err
		}
		made = append(made, m)
	}
	return made, nil
}

// made is an object by its name now, and its identity.
func (x *run) made(ref Ref) (m journal.Made, err error) {
	id, err := ref.Identify(x.Kernel)
	if err != nil {
		return m, err
	}
	if m.Ref, err = json.Marshal(ref); err != nil {
		return m, fmt.Errorf("encode %s: %w", ref, err)
	}
	if m.ID, err = json.Marshal(id); err != nil {
		return m, fmt.Errorf("encode the identity of %s: %w", ref, err)
	}
	return m, nil
}

// lockShared locks what labs share, if the op touches it. The returned function
// gives the lock up.
func (r *Runner) lockShared(o Op) (func() error, error) {
	if !shared(o) {
		return func() error { return nil }, nil
	}
	l, err := r.Dir.LockShared()
	if err != nil {
		return nil, err
	}
	return l.Release, nil
}

// refusals tries what the kernel must refuse, and fails when it does not.
func (x *run) refusals(ctx context.Context, step Step) error {
	for _, refusal := range step.Refusals {
		if err := interrupted(ctx); err != nil {
			return err
		}
		twice, err := x.standsAlready(refusal.Op)
		if err != nil {
			return err
		}
		if twice {
			err = refusal.Op.Apply(x.Kernel)
		} else {
			err = x.do(at(step, ""), refusal.Op)
		}
		if err == nil {
			err = fmt.Errorf("the kernel was expected to refuse this (%w), and did not", refusal.Errno)
			if !twice {
				err = errors.Join(err, x.undoQuietly(x.journal, x.journal.Entries[len(x.journal.Entries)-1]))
			}
			return x.opFailed(at(step, ""), refusal.Op, err)
		}
		if !errors.Is(err, refusal.Errno) || !twice && x.unfinished() {
			return x.opFailed(at(step, ""), refusal.Op, err)
		}
		x.emit(Event{Type: Refused, Lab: x.plan.Lab, Step: step.ID, ID: refusal.ID, Command: refusal.Op.Command().String(), Error: kernelWords(err, refusal.Errno)})
	}
	return nil
}

// standsAlready tells whether the lab has done this very op, so that doing it
// again needs no undo: should the kernel take it after all, then in the place of
// what the lab made there, and what undoes that undoes this. What makes objects
// has an identity to lose, and is left to Inverse, which refuses it.
func (x *run) standsAlready(o Op) (bool, error) {
	if _, makes := o.(Maker); makes {
		return false, nil
	}
	encoded, err := encode([]Op{o})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(x.journal.Open(), func(e journal.Entry) bool {
		return e.Done && e.Op.Kind == encoded[0].Kind && string(e.Op.Op) == string(encoded[0].Op)
	}), nil
}

// unfinished tells whether the last op failed and could not be taken back.
func (x *run) unfinished() bool {
	n := len(x.journal.Entries)
	return n > 0 && !x.journal.Entries[n-1].Done && !x.journal.Entries[n-1].Undone
}

// at is the place of an op in a journal.
func at(step Step, group string) journal.Place { return journal.Place{Step: step.ID, Group: group} }

func (x *run) opFailed(at journal.Place, o Op, err error) error {
	if errors.Is(err, ErrInterrupted) {
		return err
	}
	x.emit(opEvent(OpFailed, x.plan.Lab, at, o, err))
	return fmt.Errorf("step %s: %w: %w", at.Step, ErrFailed, err)
}

// opEvent says that an op could not be done, or is not as it was done.
func opEvent(t Type, lab string, at journal.Place, o Op, err error) Event {
	e := Event{Type: t, Lab: lab, Step: at.Step, Group: at.Group, Command: o.Command().String(), Error: err.Error()}
	var differs *Mismatch
	if errors.As(err, &differs) {
		e.Values = map[string]string{
			"object": differs.Object, "field": differs.Field, "want": differs.Want, "found": differs.Found,
		}
	}
	return e
}
