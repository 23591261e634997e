package challenges

import (
	"context"
	"fmt"
	"slices"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/scenarios"
)

// Verdict is how a challenge stands.
type Verdict struct {
	Fails   []string // the checks that fail, or could not be tried, in their order
	Holds   []string // those that hold
	Tried   int      // how many were tried
	Waiting []string // those left out until all others hold
	// Gone are the changes that are no longer as they must be: what the lab is made
	// of, and what the challenge says must be kept.
	Gone []Gone
}

// Gone is a change that is not as it must be.
type Gone struct {
	Command lab.Command
	// Kept: the challenge asks for it; otherwise the lab is made of it.
	Kept bool
	Err  error
}

// Won tells whether all holds, and all stands.
func (v Verdict) Won() bool { return len(v.Fails)+len(v.Waiting)+len(v.Gone) == 0 }

// Shows tells whether a lab that was just broken fails as the challenge says it does.
// On some machines other checks stand in the place of some.
func (c Challenge) Shows(v Verdict) bool {
	return len(v.Fails) > 0 && !slices.ContainsFunc(c.Fails, func(id string) bool { return slices.Contains(v.Holds, id) })
}

// Judge tries every check and looks whether all still stands. It does not look at
// how that came about. patience is for each answer; saw gets an event of type
// CheckDone for each check, and may be nil. The error is lab.ErrInterrupted, or
// what could not be judged.
func (c Challenge) Judge(ctx context.Context, k *kernel.Kernel, s scenarios.Setting, patience time.Duration, saw func(lab.Event)) (Verdict, error) {
	var v Verdict
	checks, err := c.checks(s)
	if err != nil {
		return v, err
	}
	for _, p := range checks {
		if len(v.Fails) > 0 && slices.Contains(c.Last, p.ID) {
			v.Waiting = append(v.Waiting, p.ID)
			continue
		}
		began := time.Now()
		seen, err := p.Probe.Try(ctx, k, patience)
		if ctx.Err() != nil {
			return v, lab.ErrInterrupted
		}
		if err != nil {
			seen = lab.Observation{Outcome: lab.Untried, Values: map[string]string{"error": err.Error()}}
		}
		v.Tried++
		if seen.Holds {
			v.Holds = append(v.Holds, p.ID)
		} else {
			v.Fails = append(v.Fails, p.ID)
		}
		if saw != nil {
			saw(lab.Event{
				Type: lab.CheckDone, Time: time.Now(), Lab: s.Lab, Step: p.step, ID: p.ID, Phase: lab.After,
				Command: p.Probe.Command().String(), Holds: &seen.Holds, Outcome: seen.Outcome, Values: seen.Values,
				Journey: seen.Journey, Elapsed: time.Since(began),
			})
		}
	}
	v.Gone, err = c.gone(k, s)
	return v, err
}

// gone reads back what makes objects, and what is to be kept. Anything else may be
// reached in another way.
func (c Challenge) gone(k *kernel.Kernel, s scenarios.Setting) ([]Gone, error) {
	var gone []Gone
	for _, step := range c.Scenario.Steps(s) {
		for _, o := range step.All() {
			if _, makes := o.(lab.Maker); !makes {
				continue
			}
			if err := o.Verify(k); err != nil {
				gone = append(gone, Gone{Command: o.Command(), Err: err})
			}
		}
	}
	for _, line := range c.Keep {
		o, err := c.op(line, s)
		if err != nil {
			return gone, fmt.Errorf("what is to be kept: %w", err)
		}
		if err := o.Verify(k); err != nil {
			gone = append(gone, Gone{Command: o.Command(), Kept: true, Err: err})
		}
	}
	return gone, nil
}
