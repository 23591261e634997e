package lab

import (
	"context"
	"errors"
	"slices"

	"netlab/lab/kernel"
)

// Unmade looks for the first change that the kernel does not have, of those of the
// steps up to that one which are to last once it is done; nil: it has all of them, or
// there is no such step. It changes nothing. The error is ErrInterrupted, or what
// could not be read.
func (p Plan) Unmade(ctx context.Context, k *kernel.Kernel, stepID string) (*Missing, error) {
	last := slices.IndexFunc(p.Steps, func(s Step) bool { return s.ID == stepID })
	done := func(id string) bool {
		return slices.ContainsFunc(p.Steps[:last+1], func(s Step) bool { return s.ID == id })
	}
	for i := range p.Steps[:last+1] {
		if err := interrupted(ctx); err != nil {
			return nil, err
		}
		left, _, err := p.lasting(i, done)
		if err != nil {
			return nil, err
		}
		for m := range left.Outstanding(k) {
			if differs := (*Mismatch)(nil); !errors.As(m.Err, &differs) {
				return nil, m.Err
			}
			return &m, nil
		}
	}
	return nil, nil
}

// Cause is the missing change as the reason why checks fail: ChangeMissing, with what
// a read-back says of it. It is for one that Unmade has found.
func (m Missing) Cause() Cause {
	values := map[string]string{"step": m.Step}
	if differs := (*Mismatch)(nil); errors.As(m.Err, &differs) {
		values["object"], values["field"] = differs.Object, differs.Field
		values["want"], values["found"] = differs.Want, differs.Found
	}
	return Cause{ID: ChangeMissing, Values: values, Repair: m.Op.Command()}
}
