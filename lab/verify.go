package lab

import (
	"context"
	"slices"

	"netlab/lab/abreast"
	"netlab/lab/kernel"
)

// verify reads back all that a step has changed, what it did for its groups with one
// reading for many, and tells seen of each op in their order: err is what is not as
// it should be, or nil. It ends with the first error of seen's, or with
// ErrInterrupted.
func (r *Runner) verify(ctx context.Context, lab string, step Step, seen func(group string, o Op, err error) error) error {
	for _, o := range step.Ops {
		if err := interrupted(ctx); err != nil {
			return err
		}
		if err := seen("", o, o.Verify(r.Kernel)); err != nil {
			return err
		}
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
			found := make([][]error, len(groups))
			_, err := abreast.Two(len(groups), func(i int) error {
				for _, o := range groups[i].Ops {
					if err := interrupted(ctx); err != nil {
						return err
					}
					found[i] = append(found[i], o.Verify(r.Kernel))
				}
				return nil
			})
			if err != nil {
				return err
			}
			for i, g := range groups {
				for j, o := range g.Ops {
					if err := seen(g.Name, o, found[i][j]); err != nil {
						return err
					}
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
