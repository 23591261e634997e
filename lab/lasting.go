package lab

import (
	"context"
	"errors"
	"slices"
)

// A step may take back what an earlier one did, and so end what its checks saw: an
// address is given, and taken again. What lasts of the earlier step can still be
// verified.

// lasting is what of the i-th step holds once the later steps that are done are
// done: its ops less those that were taken back, and its checks less those that
// were ended.
func (p Plan) lasting(i int, done func(stepID string) bool) (left Step, ended []Check, err error) {
	left = p.Steps[i]
	left.Checks = nil
	for _, c := range p.Steps[i].Checks {
		if c.Until != "" && done(c.Until) {
			ended = append(ended, c)
		} else {
			left.Checks = append(left.Checks, c)
		}
	}
	later := p.later(i, done)
	if left.Ops, err = standing(left.Ops, later); err != nil {
		return Step{}, nil, err
	}
	left.Groups = slices.Clone(left.Groups)
	for g, group := range left.Groups {
		if left.Groups[g].Ops, err = standing(group.Ops, later); err != nil {
			return Step{}, nil, err
		}
	}
	return left, ended, nil
}

// later are the ops of the steps after the i-th that are done, by kind.
func (p Plan) later(i int, done func(stepID string) bool) map[string][]Op {
	ops := map[string][]Op{}
	for _, s := range p.Steps[i+1:] {
		if !done(s.ID) {
			continue
		}
		for _, o := range s.All() {
			ops[o.Kind()] = append(ops[o.Kind()], o)
		}
	}
	return ops
}

// standing are the ops less those that a later one undoes, exactly as Op.Undo
// would.
func standing(ops []Op, later map[string][]Op) ([]Op, error) {
	var left []Op
	for _, o := range ops {
		undone := false
		for _, u := range o.Undo() {
			for _, l := range later[u.Kind()] {
				same, err := sameOp(u, l)
				if err != nil {
					return nil, err
				}
				undone = undone || same
			}
		}
		if !undone {
			left = append(left, o)
		}
	}
	return left, nil
}

func sameOp(a, b Op) (bool, error) {
	encoded, err := encode([]Op{a, b})
	if err != nil {
		return false, err
	}
	return encoded[0].Kind == encoded[1].Kind && string(encoded[0].Op) == string(encoded[1].Op), nil
}

// ends tells whether a step takes back what an earlier one did, or ends what its
// checks saw.
func (p Plan) ends(i int) (bool, error) {
	only := func(id string) bool { return id == p.Steps[i].ID }
	for n, s := range p.Steps[:i] {
		left, ended, err := p.lasting(n, only)
		if err != nil || len(ended) > 0 || count(left) < count(s) {
			return true, err
		}
	}
	return false, nil
}

func count(s Step) (n int) {
	for range s.All() {
		n++
	}
	return n
}

// builtByHand finds out which steps were done by somebody of whom nothing is
// known. It asks for the last step that ends something whose changes and checks
// are as they should be: that one is done, and those before it. Of steps that end
// nothing it need not be known.
func (r *Runner) builtByHand(ctx context.Context, plan Plan) (func(stepID string) bool, error) {
	last := -1
	for i := len(plan.Steps) - 1; i > 0 && last < 0; i-- {
		ends, err := plan.ends(i)
		if err != nil {
			return nil, err
		}
		if !ends {
			continue
		}
		as, err := r.asAfter(ctx, plan.Steps[i])
		if err != nil {
			return nil, err
		}
		if as {
			last = i
		}
	}
	return func(id string) bool {
		return slices.IndexFunc(plan.Steps, func(s Step) bool { return s.ID == id }) <= last
	}, nil
}

// asAfter tells whether all is as a step leaves it. It emits nothing.
func (r *Runner) asAfter(ctx context.Context, step Step) (bool, error) {
	differs := errors.New("differs")
	quiet := *r
	quiet.Emit = func(Event) {}
	err := quiet.verify(ctx, "", step, func(_ string, _ Op, err error) error {
		if err != nil {
			return differs
		}
		return nil
	})
	if err != nil {
		if errors.Is(err, differs) {
			err = nil
		}
		return false, err
	}
	for _, c := range step.Checks {
		seen, err := c.Probe.Try(ctx, r.Kernel, patienceBriefly)
		if ctx.Err() != nil {
			return false, ErrInterrupted
		}
		if err != nil || !seen.Holds {
			return false, nil
		}
	}
	return true, nil
}
