package lab

import (
	"context"
	"errors"

	"netlab/lab/abreast"
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

// readBack verifies all that the groups have done, with one reading of what there is
// now.
func (x *run) readBack(ctx context.Context, groups []member) *halted {
	differs := make([]Op, len(groups))
	n, err := abreast.Two(len(groups), func(i int) error {
		for _, o := range groups[i].Ops {
			err := interrupted(ctx)
			if err == nil {
				err = o.Verify(x.Kernel)
			}
			if err != nil {
				differs[i] = o
				return err
			}
		}
		return nil
	})
	if err != nil {
		return &halted{group: groups[n].Name, op: differs[n], err: err}
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
