package lab

import (
	"context"
	"errors"
)

// ErrQuit: whoever steps through a run has left it; what is done, stays.
var ErrQuit = errors.New("left")

// Gate lets somebody step through a run. Its methods take as long as they like.
type Gate interface {
	// Before is called before the i-th step, which is not done yet. With an error
	// the run ends with it: ErrQuit, or ErrInterrupted.
	Before(ctx context.Context, i int) error
	// After is called after the i-th step, which was done now. The error is as
	// Before's.
	After(ctx context.Context, i int) error
	// Failed is called when the i-th step has failed, and tells whether to try it
	// again; otherwise the run ends with why.
	Failed(ctx context.Context, i int, why error) (again bool, err error)
}

// gated does one step that is not done yet, with the gate's say if there is one.
func (x *run) gated(ctx context.Context, i int, step Step, o Options) error {
	if o.Gate == nil {
		return x.step(ctx, i, step, o)
	}
	if err := o.Gate.Before(ctx, i); err != nil {
		return err
	}
	for {
		err := x.step(ctx, i, step, o)
		if err == nil {
			return o.Gate.After(ctx, i)
		}
		if !errors.Is(err, ErrFailed) {
			return err
		}
		again, gateErr := o.Gate.Failed(ctx, i, err)
		if gateErr != nil {
			return gateErr
		}
		if !again {
			return err
		}
		if err := x.rollBackUnfinished(ctx); err != nil {
			return err
		}
	}
}

// CheckAgain tries the checks of a step that is done once more.
func (r *Runner) CheckAgain(ctx context.Context, plan Plan, step Step) error {
	for _, c := range step.Checks {
		if _, err := r.try(ctx, plan.Lab, step.ID, c, After, patienceAfter); err != nil {
			return err
		}
	}
	return nil
}
