package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Patience with answers after a step: they may meet a proxy_delay of up to 0.8 s
// (facts.md, section 2) and a lost packet.
const (
	patienceAfter = 1500 * time.Millisecond
	// For one among several, where an earlier one has failed: longer than a
	// proxy_delay, but no more.
	patienceBriefly = 900 * time.Millisecond
)

func (x *run) after(ctx context.Context, step Step) error {
	together := patienceAfter
	// It is known already that something is wrong. But the first question on a link
	// may be lost, and the kernel asks again only after a second.
	if x.options.GoOn && x.failed != nil {
		together = patienceBriefly
	}
	held, err := x.tryAll(ctx, x.plan.Lab, step, together)
	if err != nil {
		return err
	}
	x.tried += len(step.Checks)
	x.checks += held
	if held < len(step.Checks) {
		return errors.Join(fmt.Errorf("step %s: %w", step.ID, ErrFailed), x.explain(ctx, x.plan, step.ID, true))
	}
	return nil
}

// explain emits what makes the checks of a step fail, as far as it can be found.
// must: something is known to be wrong, so that nothing found is worth a word.
func (r *Runner) explain(ctx context.Context, plan Plan, stepID string, must bool) error {
	if plan.Explain == nil {
		return nil
	}
	causes, err := plan.Explain(ctx, r.Kernel, stepID)
	if err == nil && len(causes) == 0 && must {
		causes = []Cause{{ID: NoCause, Repair: Command{"nstat", "-az"}}}
	}
	for _, c := range causes {
		r.emit(Event{Type: CauseSeen, Lab: plan.Lab, Step: stepID, ID: c.ID, Values: c.Values, Command: c.Repair.String()})
	}
	if err != nil {
		return fmt.Errorf("look for the cause: %w", err)
	}
	return nil
}

// tryAll makes one attempt of each of a step's checks after it, and returns how many
// hold. Those next to each other that are Independent are tried at once, with that
// patience: of several that get no answer, none waits for the others.
func (r *Runner) tryAll(ctx context.Context, lab string, step Step, patience time.Duration) (held int, err error) {
	for left := step.Checks; len(left) > 0; {
		n, patience := together(left), patience
		if n == 0 {
			n, patience = 1, patienceAfter
		}
		seen, err := r.atOnce(ctx, lab, step.ID, left[:n], After, patience)
		if err != nil {
			return held, err
		}
		for _, e := range seen {
			r.emit(e)
			if *e.Holds {
				held++
			}
		}
		left = left[n:]
	}
	return held, nil
}

// atOnce makes one attempt of each of some checks, side by side, and returns what is
// to be told of them, in their order.
func (r *Runner) atOnce(ctx context.Context, lab, stepID string, checks []Check, phase Phase, patience time.Duration) ([]Event, error) {
	if err := interrupted(ctx); err != nil {
		return nil, err
	}
	seen := make([]Event, len(checks))
	var wait sync.WaitGroup
	for i, c := range checks {
		wait.Go(func() { seen[i] = r.attempt(ctx, lab, stepID, c, phase, patience) })
	}
	wait.Wait()
	return seen, interrupted(ctx)
}

// together is how many of the checks, from the first on, are Independent.
func together(checks []Check) int {
	n := slices.IndexFunc(checks, func(c Check) bool {
		_, alone := c.Probe.(Independent)
		return !alone
	})
	if n < 0 {
		return len(checks)
	}
	return n
}

// try makes one attempt of a check and emits what was seen.
func (r *Runner) try(ctx context.Context, lab, stepID string, c Check, phase Phase, patience time.Duration) (bool, error) {
	seen := r.attempt(ctx, lab, stepID, c, phase, patience)
	if ctx.Err() != nil {
		return false, ErrInterrupted
	}
	r.emit(seen)
	return *seen.Holds, nil
}

// attempt is what is to be told of one attempt of a check.
func (r *Runner) attempt(ctx context.Context, lab, stepID string, c Check, phase Phase, patience time.Duration) Event {
	started := r.Now()
	seen, err := c.Probe.Try(ctx, r.Kernel, patience)
	if err != nil { // it could not even be tried: that is no reason to look no further
		seen = Observation{Outcome: Untried, Values: map[string]string{"error": err.Error()}}
	}
	return Event{
		Type: CheckDone, Lab: lab, Step: stepID, ID: c.ID, Phase: phase, Command: c.Probe.Command().String(),
		Holds: &seen.Holds, Outcome: seen.Outcome, Values: seen.Values, Journey: seen.Journey, Elapsed: r.Now().Sub(started),
	}
}

// ended says of checks that they are not tried any more.
func (r *Runner) ended(lab, stepID string, checks []Check) {
	for _, c := range checks {
		r.emit(Event{
			Type: CheckOver, Lab: lab, Step: stepID, ID: c.ID, Command: c.Probe.Command().String(),
			Values: map[string]string{"by": c.Until},
		})
	}
}
