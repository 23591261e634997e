package lab

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Patience with silence before a step: a check is to see nothing then, and waits for
// that.
const (
	patienceBefore = 200 * time.Millisecond
	// Where a cause of the silence is known, there is no answer to wait for but one
	// that the cause would not explain: as long as a busy CPU may be late with what it
	// has in its queues, and a thousand times as long as an answer takes.
	patienceKnown = 25 * time.Millisecond
)

// before tries what a step is for before it is done, to show that it does not work
// yet.
func (x *run) before(ctx context.Context, step Step, o Options) error {
	if o.NoBefore {
		return nil
	}
	known := sync.OnceValue(func() bool { return x.silent(ctx, step.ID) }) // before the step that does not change
	left := slices.DeleteFunc(slices.Clone(step.Checks), func(c Check) bool { return !c.Before })
	for len(left) > 0 {
		n := max(1, together(left))
		seen, err := x.notYet(ctx, step, left[:n], known)
		if err != nil {
			return err
		}
		for _, e := range seen {
			x.emit(e)
		}
		left = left[n:]
	}
	return nil
}

// notYet tries checks at once. First it waits for a short time only. What has waited in
// vain is tried again with more patience, unless the silence has a known cause. Silence
// that a check is to find is none of those: what keeps the check from holding is an
// answer then.
func (x *run) notYet(ctx context.Context, step Step, checks []Check, known func() bool) ([]Event, error) {
	if x.plan.Explain == nil {
		return x.atOnce(ctx, x.plan.Lab, step.ID, checks, Before, patienceBefore)
	}
	seen, err := x.atOnce(ctx, x.plan.Lab, step.ID, checks, Before, patienceKnown)
	if err != nil {
		return nil, err
	}
	var silent []int
	var again []Check
	for i, e := range seen {
		if e.Elapsed >= patienceKnown && (e.Holds != nil && *e.Holds || !known()) {
			silent, again = append(silent, i), append(again, checks[i])
		}
	}
	if len(again) == 0 {
		return seen, nil
	}
	later, err := x.atOnce(ctx, x.plan.Lab, step.ID, again, Before, patienceBefore)
	for i, e := range later {
		seen[silent[i]] = e
	}
	return seen, err
}

// silent tells whether the kernel has a certain cause for what a step is for not to work
// yet.
func (x *run) silent(ctx context.Context, stepID string) bool {
	causes, err := x.plan.Explain(ctx, x.Kernel, stepID)
	return err == nil && slices.ContainsFunc(causes, func(c Cause) bool { return c.Values["certain"] != "no" })
}
