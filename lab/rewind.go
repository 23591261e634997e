package lab

import (
	"context"
	"errors"
	"fmt"

	"netlab/lab/journal"
)

// Rewound is the outcome of an undo that stopped at a step, as it was asked to.
const Rewound = "rewound"

// Rewind undoes the plan's step of that ID and all steps after it, the last
// change first. The lab stays up with the steps before it. The caller holds the
// lab's lock; the errors are Teardown's.
func (r *Runner) Rewind(ctx context.Context, plan Plan, j *journal.Journal, stepID string) error {
	started := r.Now()
	later, found := map[string]bool{}, false
	for _, s := range plan.Steps {
		found = found || s.ID == stepID
		later[s.ID] = found
	}
	var open []int
	for _, seq := range j.OpenSeqs() {
		if later[j.Entries[seq-1].Step] {
			open = append(open, seq)
		}
	}
	u := &undo{Runner: r, journal: j, report: r.emit}
	if len(open) == 0 { // none of it is done, or nothing was to be changed
		return u.stepsUndone(plan.Steps, later)
	}
	r.emit(Event{Type: UndoStart, Lab: plan.Lab, Scenario: plan.Scenario, Machine: r.Machine, Step: stepID, Total: len(open)})
	stopped, err := u.entries(ctx, open)
	if err == nil && !stopped {
		err = u.stepsUndone(plan.Steps, later)
	}
	if err != nil {
		err = fmt.Errorf("rewind %s to step %s: %w: %w", plan.Lab, stepID, ErrFailed, err)
	}
	left := 0
	for _, e := range j.Open() {
		if later[e.Step] {
			left++
		}
	}
	end := Event{Type: UndoEnd, Lab: plan.Lab, Scenario: plan.Scenario, Machine: r.Machine, Step: stepID, Outcome: Rewound, Total: left}
	switch {
	case stopped:
		end.Outcome = Interrupted
		err = errors.Join(err, ErrInterrupted)
	case err != nil:
		end.Outcome = Failed
	}
	end.Elapsed = r.Now().Sub(started)
	r.emit(end)
	return err
}

// stepsUndone writes down of those steps that they are no longer done: one that
// changes nothing has no op that would say so.
func (u *undo) stepsUndone(steps []Step, which map[string]bool) error {
	for _, s := range steps {
		if which[s.ID] {
			if err := u.stepUndone(s.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
