package lab

import (
	"context"
	"slices"

	"netlab/lab/kernel"
)

// verify reads back all that a step has changed, what it did for its groups with one
// reading for many, and tells seen of each op in their order: err is what is not as
// it should be, or nil. It ends with the first error of seen's, or with
// ErrInterrupted.
func (r *Runner) verify(ctx context.Context, lab string, step Step, seen func(group string, o Op, err error) error) error {
	one := func(group string, ops []Op) error {
		for _, o := range ops {
			if err := interrupted(ctx); err != nil {
				return err
			}
			if err := seen(group, o, o.Verify(r.Kernel)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := one("", step.Ops); err != nil {
		return err
	}
	done := len(step.Ops)
	for groups := range slices.Chunk(step.Groups, kernel.Together()) {
		r.progress(lab, step.ID, done, count(step))
		for _, g := range groups {
			done += len(g.Ops)
		}
		err := r.Kernel.Lend(func() error {
			if len(groups) > 1 {
				defer r.Kernel.Still()()
			}
			for _, g := range groups {
				if err := one(g.Name, g.Ops); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
