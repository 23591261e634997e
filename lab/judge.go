package lab

import (
	"context"
	"errors"
	"slices"
	"time"

	"netlab/lab/kernel"
)

// Somebody may build a plan's lab by hand, in whatever way. How it was done can't be
// seen, and is no matter: what stands in the kernel can be read, and what it does can
// be tried.

// judge is the state of one Plan.Judge.
type judge struct {
	plan     Plan
	kernel   *kernel.Kernel
	patience time.Duration
	front    int // the first step that was not reached
	tried    map[string]bool
	Verdict
}

// Judge looks how far the plan has come by whatever means, and changes nothing. Steps
// are judged in order; reached names those that were satisfied once: what lasts of
// them must still stand, and when all are reached, every check that lasts must hold.
// A check is tried only where all else of its step stands, or may be replaced, with
// patience for its answer. The error is ErrInterrupted, or what could not be read.
func (p Plan) Judge(ctx context.Context, k *kernel.Kernel, reached func(stepID string) bool, patience time.Duration) (Verdict, error) {
	j := &judge{plan: p, kernel: k, patience: patience, tried: map[string]bool{}}
	j.front = slices.IndexFunc(p.Steps, func(s Step) bool { return !reached(s.ID) })
	if j.front < 0 {
		j.front = len(p.Steps)
	}
	for _, step := range p.Steps {
		if _, err := j.read(step, nil); err != nil {
			return j.Verdict, err
		}
		j.Stands = append(j.Stands, j.Stand)
	}
	j.Stand, j.Of = 0, 0
	for {
		lost, err := j.lost(ctx)
		if err != nil || lost {
			return j.Verdict, err
		}
		if j.front == len(p.Steps) {
			return j.Verdict, j.prove(ctx)
		}
		passed, err := j.step(ctx, p.Steps[j.front])
		if err != nil || !passed {
			return j.Verdict, err
		}
		j.front++
	}
}

// done are the steps that are reached, and the next one: it may be under way, and
// take back what an earlier one did.
func (j *judge) done(stepID string) bool {
	return slices.IndexFunc(j.plan.Steps, func(s Step) bool { return s.ID == stepID }) <= j.front
}

// lost looks for what was there and is gone.
func (j *judge) lost(ctx context.Context) (bool, error) {
	for i := range j.plan.Steps[:j.front] {
		left, _, err := j.plan.lasting(i, j.done)
		if err != nil {
			return false, err
		}
		missing, err := j.read(left, j.comesAgain)
		if err != nil {
			return false, err
		}
		if missing == nil {
			continue
		}
		stand, of := j.Stand, j.Of
		others, _, err := j.otherwise(ctx, left)
		if err != nil {
			return false, err
		}
		if others == nil {
			j.Stand, j.Of = stand, of
			j.Next, j.Missing, j.Lost = i, missing, true
			return true, nil
		}
	}
	return false, nil
}

// otherwise are the changes of a step that do not stand, where all of them are
// Replaceable and the step's checks hold without them, with what those saw; nil:
// something is missing. A step whose checks hold before it proves nothing so.
func (j *judge) otherwise(ctx context.Context, step Step) (others []Command, seen []Event, err error) {
	if !slices.ContainsFunc(step.Checks, func(c Check) bool { return c.Before }) {
		return nil, nil, nil
	}
	for _, o := range step.All() {
		err := effect(o, j.kernel)
		if err == nil || errors.Is(err, ErrByChecks) {
			continue
		}
		// Of several alike, the checks may try others.
		if r, ok := o.(Replaceable); !ok || !r.Replaceable() || alike(step, o) {
			return nil, nil, nil
		}
		others = append(others, o.Command())
	}
	seen, err = j.try(ctx, step)
	if err != nil || j.Missing != nil {
		j.Missing = nil
		return nil, nil, err
	}
	return others, seen, nil
}

// alike tells whether a step does the same elsewhere too, as for several pods.
func alike(step Step, o Op) bool {
	for _, other := range step.All() {
		if other.Kind() == o.Kind() && !slices.Equal(within(other), within(o)) {
			return true
		}
	}
	return false
}

// comesAgain tells whether the step that is under way has the same op: what it did
// before may take the first one's effect along.
func (j *judge) comesAgain(o Op) (bool, error) {
	if j.front == len(j.plan.Steps) {
		return false, nil
	}
	for _, l := range j.plan.Steps[j.front].All() {
		if same, err := sameOp(o, l); err != nil || same {
			return same, err
		}
	}
	return false, nil
}

// read counts what stands of a step's changes, and returns the first that does not
// and is not excused.
func (j *judge) read(step Step, excused func(Op) (bool, error)) (*Missing, error) {
	var missing *Missing
	j.Stand, j.Of = 0, 0
	for group, o := range step.All() {
		err := effect(o, j.kernel)
		if errors.Is(err, ErrByChecks) {
			continue
		}
		j.Of++
		if err == nil {
			j.Stand++
			continue
		}
		if missing != nil {
			continue
		}
		if excused != nil {
			ok, err := excused(o)
			if err != nil {
				return nil, err
			}
			if ok {
				continue
			}
		}
		missing = &Missing{Step: step.ID, Group: group, Op: o, Err: err}
	}
	return missing, nil
}

func effect(o Op, k *kernel.Kernel) error {
	if e, ok := o.(Effector); ok {
		return e.Effect(k)
	}
	return o.Verify(k)
}

// step judges the first step that was not reached.
func (j *judge) step(ctx context.Context, step Step) (passed bool, err error) {
	j.Next = j.front
	missing, err := j.read(step, nil)
	if err != nil {
		return false, err
	}
	if missing != nil {
		others, seen, err := j.otherwise(ctx, step)
		if err != nil || others == nil {
			j.Missing = missing
			return false, err
		}
		j.Passed = append(j.Passed, PassedStep{ID: step.ID, Seen: seen, Otherwise: others})
		return true, nil
	}
	seen, err := j.try(ctx, step)
	if err != nil || j.Missing != nil {
		return false, err
	}
	j.Passed = append(j.Passed, PassedStep{ID: step.ID, Seen: seen})
	return true, nil
}

// try tries a step's checks up to the first that fails, which is missing then.
func (j *judge) try(ctx context.Context, step Step) ([]Event, error) {
	var all []Event
	for _, c := range step.Checks {
		seen, err := c.Probe.Try(ctx, j.kernel, j.patience)
		if ctx.Err() != nil {
			return nil, ErrInterrupted
		}
		if err != nil { // what it tries on may not be there
			seen = Observation{Outcome: Untried, Values: map[string]string{"error": err.Error()}}
		}
		if !seen.Holds {
			j.Missing = &Missing{Step: step.ID, Check: c, Seen: seen}
			return all, nil
		}
		j.tried[step.ID+"/"+c.ID] = true
		all = append(all, seenEvent(j.plan.Lab, step.ID, c, seen))
	}
	return all, nil
}

// prove tries all that lasts and was not tried just now.
func (j *judge) prove(ctx context.Context) error {
	j.Next, j.Stand, j.Of = len(j.plan.Steps), 0, 0
	for i := range j.plan.Steps {
		left, _, err := j.plan.lasting(i, j.done)
		if err != nil {
			return err
		}
		left.Checks = slices.DeleteFunc(left.Checks, func(c Check) bool { return j.tried[left.ID+"/"+c.ID] })
		if _, err := j.try(ctx, left); err != nil {
			return err
		}
		if j.Missing != nil {
			j.Next, j.Lost = i, true
			return nil
		}
	}
	return nil
}
