package lab

import (
	"context"
	"errors"

	"netlab/lab/journal"
	"netlab/lab/kernel"
)

// grouped does the step's groups: the first, which is shown in full, op by op, and the
// others together.
func (x *run) grouped(ctx context.Context, step Step, applied map[int]bool) error {
	n := len(step.Ops)
	next := func(g Group) (done []bool) {
		for range g.Ops {
			done = append(done, applied[n])
			n++
		}
		return done
	}
	most := kernel.Together()
	var crowd []member
	for i, g := range step.Groups {
		m := member{Group: g, applied: next(g)}
		if i == 0 {
			if err := x.alone(ctx, step, m); err != nil {
				return err
			}
			continue
		}
		crowd = append(crowd, m)
		if len(crowd) < most && i+1 < len(step.Groups) {
			continue
		}
		if err := x.crowd(ctx, step, crowd, n-len(crowd)*len(g.Ops)); err != nil {
			return err
		}
		crowd = crowd[:0]
	}
	return nil
}

// member is a group, and which of its ops an earlier run has applied.
type member struct {
	Group
	applied []bool
}

// alone does a group op by op.
func (x *run) alone(ctx context.Context, step Step, m member) error {
	for i, o := range m.Ops {
		if err := x.past(x.op(ctx, at(step, m.Name), o, m.applied[i])); err != nil {
			return err
		}
	}
	return nil
}

// crowd does groups together: their first ops, then their second ones, and so on, and
// then reads all of them back. before is how many ops of the step came before.
func (x *run) crowd(ctx context.Context, step Step, groups []member, before int) error {
	if len(groups) == 1 || x.options.GoOn || !ofOneShape(groups) {
		for _, m := range groups {
			if err := x.alone(ctx, step, m); err != nil {
				return err
			}
		}
		return nil
	}
	return x.Kernel.Lend(func() error {
		resume, total := x.Kernel.Still(), count(step)
		var halt *halted
		err := interrupted(ctx)
		for i := 0; i < len(groups[0].Ops) && halt == nil && err == nil; i++ {
			said := func(n int) { x.progress(x.plan.Lab, step.ID, before+i*len(groups)+n, total) }
			halt, err = x.column(ctx, step, groups, i, said)
		}
		if halt == nil && err == nil {
			x.Kernel.Forgo(kernel.ReadAll)
			halt = x.readBack(ctx, groups)
		}
		resume()
		if halt != nil {
			return x.halt(step, *halt)
		}
		if err == nil {
			x.sayDone(step, groups)
		}
		return err
	})
}

// halted is where doing groups together came to an end.
type halted struct {
	group string
	op    Op
	err   error
	undo  []int // entries of the journal of which it is not known what they did
}

// halt takes back what is not known to be done, and says of the op what is wrong.
func (x *run) halt(step Step, h halted) error {
	for _, seq := range h.undo {
		h.err = errors.Join(h.err, x.undoQuietly(x.journal, x.journal.Entries[seq-1]))
	}
	if errors.Is(h.err, ErrInterrupted) {
		return h.err
	}
	x.emit(Event{Type: OpStart, Lab: x.plan.Lab, Step: step.ID, Group: h.group, Command: h.op.Command().String()})
	return x.opFailed(at(step, h.group), h.op, h.err)
}

// ofOneShape tells whether all groups have the same kinds of op, all of them such as
// can be done together.
func ofOneShape(groups []member) bool {
	for _, m := range groups {
		if len(m.Ops) != len(groups[0].Ops) {
			return false
		}
		for i, o := range m.Ops {
			if _, ok := o.(Gatherer); !ok || o.Kind() != groups[0].Ops[i].Kind() || shared(o) {
				return false
			}
		}
	}
	return true
}

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
	defer x.forgo(ops) // what one does, the others don't look at
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

func (x *run) stretch(ctx context.Context, step Step, whose []string, ops []Op) (*halted, error) {
	intents := make([]journal.Intent, len(ops))
	for n, o := range ops {
		err := interrupted(ctx)
		if err == nil {
			intents[n], err = x.intent(at(step, whose[n]), o)
		}
		if err != nil {
			return &halted{group: whose[n], op: o, err: err}, nil
		}
	}
	first, err := x.journal.IntendAll(intents)
	if err != nil {
		return nil, err
	}
	n, err := x.applyAll(ctx, ops)
	if _, makes := ops[0].(Maker); makes {
		x.forgo(ops)
	}
	return x.noted(first, whose, ops, n, err)
}

// noted writes down what the first n of some ops have made, and of those after the
// next that they were not begun. err is why there are any.
func (x *run) noted(first int, whose []string, ops []Op, n int, err error) (*halted, error) {
	h := &halted{err: err}
	if n < len(ops) {
		h.group, h.op, h.undo = whose[n], ops[n], []int{first + n}
		var unbegun []int
		for m := n + 1; m < len(ops); m++ {
			unbegun = append(unbegun, first+m)
		}
		h.err = errors.Join(h.err, x.journal.Undone(unbegun...))
	}
	made := make([][]journal.Made, n)
	for m := range n {
		if made[m], err = x.identify(ops[m]); err != nil {
			h.group, h.op, h.err = whose[m], ops[m], errors.Join(err, h.err)
			made = made[:m]
			for ; m < n; m++ {
				h.undo = append(h.undo, first+m)
			}
			break
		}
	}
	if err := x.journal.DoneAll(first, made); err != nil {
		return nil, errors.Join(h.err, err)
	}
	if h.op == nil {
		return nil, nil
	}
	return h, nil
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

// applyAll applies ops of one type, and tells how many it has applied.
func (x *run) applyAll(ctx context.Context, ops []Op) (n int, err error) {
	if crowd, ok := ops[0].(Crowd); ok {
		return crowd.ApplyAll(ctx, x.Kernel, ops)
	}
	for n, o := range ops {
		if err := interrupted(ctx); err != nil {
			return n, err
		}
		if err := o.Apply(x.Kernel); err != nil {
			return n, err
		}
	}
	return len(ops), nil
}

// readBack verifies all that the groups have done, with one reading of what there is
// now.
func (x *run) readBack(ctx context.Context, groups []member) *halted {
	for _, m := range groups {
		for _, o := range m.Ops {
			err := interrupted(ctx)
			if err == nil {
				err = o.Verify(x.Kernel)
			}
			if err != nil {
				return &halted{group: m.Name, op: o, err: err}
			}
		}
	}
	return nil
}

// sayDone says of groups that all is done and read back.
func (x *run) sayDone(step Step, groups []member) {
	for _, m := range groups {
		for _, o := range m.Ops {
			e := Event{Type: OpStart, Lab: x.plan.Lab, Step: step.ID, Group: m.Name, Command: o.Command().String()}
			x.emit(e)
			e.Type = OpDone
			x.emit(e)
		}
	}
}
