package lab

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Check verifies what a lab has changed, and tries what can be observed, step by
// step, changing nothing. done names the steps to look at; nil: all of them,
// because the state was made by hand. Then the checks alone decide, since there
// are several ways to the same effect, and state that differs is only reported;
// and the first step whose checks fail is the last one looked at.
// The error is ErrFailed when something is not as it should be, ErrInterrupted
// when ctx ended before that was known.
func (r *Runner) Check(ctx context.Context, plan Plan, done func(stepID string) bool) error {
	started := r.Now()
	r.emit(Event{Type: RunStart, Lab: plan.Lab, Scenario: plan.Scenario, Machine: r.Machine, Params: plan.Params, Total: len(plan.Steps)})
	end := Event{Type: RunEnd, Lab: plan.Lab, Scenario: plan.Scenario, Machine: r.Machine, Total: len(plan.Steps), Outcome: Up}
	err := r.checkSteps(ctx, plan, done, &end)
	switch {
	case errors.Is(err, ErrInterrupted):
		end.Outcome = Interrupted
	case err != nil:
		end.Outcome = Failed
	}
	end.Elapsed = r.Now().Sub(started)
	r.emit(end)
	return err
}

// checkSteps counts in end the steps that are as they should be.
func (r *Runner) checkSteps(ctx context.Context, plan Plan, done func(stepID string) bool, end *Event) error {
	failed, byHand := false, done == nil
	if byHand {
		var err error
		if done, err = r.builtByHand(ctx, plan); err != nil {
			return err
		}
	}
	for i, step := range plan.Steps {
		if !byHand && !done(step.ID) {
			end.Outcome = Partial
			continue
		}
		patience := patienceAfter
		if failed { // it is known already that something is wrong
			patience = patienceBriefly
		}
		left, ended, err := plan.lasting(i, done)
		if err != nil {
			return err
		}
		end.Tried += len(left.Checks)
		ok, held, err := r.checkStep(ctx, plan, i, left, ended, byHand, patience)
		end.Checks += held
		if err != nil {
			return err
		}
		failed = failed || !ok
		if ok {
			end.Steps++
		} else if byHand {
			break
		}
	}
	if failed {
		return fmt.Errorf("check of %s: %w", plan.Lab, ErrFailed)
	}
	return nil
}

// checkStep checks what lasts of the i-th step; ended are its checks that do not.
func (r *Runner) checkStep(ctx context.Context, plan Plan, i int, step Step, ended []Check, byHand bool, patience time.Duration) (ok bool, held int, err error) {
	started := r.Now()
	r.emit(Event{Type: StepStart, Lab: plan.Lab, Step: step.ID, Index: i + 1, Total: len(plan.Steps), Phase: AlreadyDone})
	ok = true
	err = r.verify(ctx, plan.Lab, step, func(group string, o Op, err error) error {
		if err != nil {
			r.emit(opEvent(OpDiffers, plan.Lab, at(step, group), o, err))
			ok = ok && byHand
			return nil
		}
		r.emit(Event{Type: OpDone, Lab: plan.Lab, Step: step.ID, Group: group, Command: o.Command().String(), Phase: AlreadyDone})
		return nil
	})
	if err != nil {
		return false, 0, err
	}
	r.ended(plan.Lab, step.ID, ended)
	failed := false
	for _, c := range step.Checks {
		holds, err := r.try(ctx, plan.Lab, step.ID, c, After, patience)
		if err != nil {
			return false, held, err
		}
		if holds {
			held++
		}
		failed = failed || !holds
	}
	if failed {
		ok = false
		if err := r.explain(ctx, plan, step.ID, true); err != nil {
			return false, held, err
		}
	}
	r.emit(Event{Type: StepEnd, Lab: plan.Lab, Step: step.ID, Index: i + 1, Total: len(plan.Steps), Phase: AlreadyDone, Elapsed: r.Now().Sub(started)})
	return ok, held, nil
}
