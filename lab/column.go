package lab

import (
	"context"
	"errors"

	"netlab/lab/abreast"
	"netlab/lab/journal"
)

// mostAnnounced is how many ops are written down before they are applied: of those that
// are applied when a run is stopped, what they made must be found out yet.
const mostAnnounced = 250

// column applies the i-th op of each group, as run.apply does one: many are written down
// before the first is applied, and what they have made after the last.
func (x *run) column(ctx context.Context, step Step, groups []member, i int, said func(n int)) (*halted, error) {
	var whose []string
	var ops []Op
	for _, m := range groups {
		if !m.applied[i] {
			whose, ops = append(whose, m.Name), append(ops, m.Ops[i])
		}
	}
	if _, makes := groups[0].Ops[i].(Maker); !makes { // else each stretch has done so
		defer x.forgo(ops) // what one does, the others don't look at
	}
	for from := 0; from < len(ops); from += mostAnnounced {
		to := min(from+mostAnnounced, len(ops))
		said(from)
		if h, err := x.stretch(ctx, step, whose[from:to], ops[from:to]); h != nil || err != nil {
			return h, err
		}
	}
	return nil, interrupted(ctx)
}

// forgo has anew what ops have changed.
func (x *run) forgo(ops []Op) {
	for _, o := range ops {
		what, where := o.(Gatherer).Alters()
		x.Kernel.Forgo(what, where...)
	}
}

// stretch does some ops of one type.
func (x *run) stretch(ctx context.Context, step Step, whose []string, ops []Op) (*halted, error) {
	intents := make([]journal.Intent, len(ops))
	n, err := abreast.Two(len(ops), func(i int) (err error) {
		if err = interrupted(ctx); err == nil {
			intents[i], err = x.intent(at(step, whose[i]), ops[i])
		}
		return err
	})
	if err != nil {
		return &halted{group: whose[n], op: ops[n], err: err}, nil
	}
	first, err := x.journal.IntendAll(intents)
	if err != nil {
		return nil, err
	}
	tries := x.applyAll(ctx, ops)
	if _, makes := ops[0].(Maker); makes {
		x.forgo(ops)
	}
	return x.noted(first, whose, ops, tries)
}

// intent reads what undoes an op.
func (x *run) intent(at journal.Place, o Op) (journal.Intent, error) {
	inverse, err := o.Inverse(x.Kernel)
	if err != nil {
		return journal.Intent{}, err
	}
	encoded, err := encode(append([]Op{o}, inverse...))
	if err != nil {
		return journal.Intent{}, err
	}
	return journal.Intent{Place: at, Op: encoded[0], Undo: encoded[1:]}, nil
}

// applying is how far one of several ops came.
type applying struct {
	begun bool
	err   error // why it is not done
}

// applyAll applies ops of one type. After the first failure no other is begun.
func (x *run) applyAll(ctx context.Context, ops []Op) []applying {
	tries := make([]applying, len(ops))
	crowd, ok := ops[0].(Crowd)
	if !ok {
		_, _ = abreast.Two(len(ops), func(i int) error { // each error is kept with its op
			if tries[i].err = interrupted(ctx); tries[i].err == nil {
				tries[i] = applying{begun: true, err: ops[i].Apply(x.Kernel)}
			}
			return tries[i].err
		})
		return tries
	}
	n, err := crowd.ApplyAll(ctx, x.Kernel, ops)
	for i := range n {
		tries[i].begun = true
	}
	if n < len(ops) {
		tries[n] = applying{begun: true, err: err}
	}
	return tries
}

// noted writes down what the ops that were applied have made, and of those that were
// not begun that they were not.
func (x *run) noted(first int, whose []string, ops []Op, tries []applying) (*halted, error) {
	made := make([][]journal.Made, len(ops))
	_, _ = abreast.Two(len(ops), func(i int) error { // as before
		if t := &tries[i]; t.begun && t.err == nil {
			made[i], t.err = x.identify(ops[i])
		}
		return nil
	})
	var h *halted
	var undo, unbegun []int
	var done []journal.Applied
	for i, t := range tries {
		seq := first + i
		switch {
		case !t.begun:
			unbegun = append(unbegun, seq)
		case t.err != nil:
			undo = append(undo, seq)
		default:
			done = append(done, journal.Applied{Seq: seq, Made: made[i]})
		}
		if t.err != nil && (h == nil || errors.Is(h.err, ErrInterrupted)) {
			h = &halted{group: whose[i], op: ops[i], err: t.err}
		}
	}
	if h == nil {
		return nil, x.journal.DoneAll(done)
	}
	h.undo, h.err = undo, errors.Join(h.err, x.journal.Undone(unbegun...))
	if err := x.journal.DoneAll(done); err != nil {
		return nil, errors.Join(h.err, err)
	}
	return h, nil
}
