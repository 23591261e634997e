package lab_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel"
)

// What nobody answers before a step is waited for briefly where the kernel is known to
// have a cause of it, and else for longer.
func TestSilenceBeforeAStepIsWaitedForUntilItIsCertain(t *testing.T) {
	t.Parallel()
	explain := func(causes ...lab.Cause) func(context.Context, *kernel.Kernel, string) ([]lab.Cause, error) {
		return func(context.Context, *kernel.Kernel, string) ([]lab.Cause, error) { return causes, nil }
	}
	perhaps := lab.Cause{ID: "rain", Values: map[string]string{"certain": "no"}}
	for name, tt := range map[string]struct {
		explain func(context.Context, *kernel.Kernel, string) ([]lab.Cause, error)
		holds   bool // silence is what the check is to find
		tries   int
	}{
		"nothing is known of causes": {nil, false, 1},
		"a cause":                    {explain(lab.Cause{ID: "hail"}), false, 1},
		"a cause of an answer":       {explain(lab.Cause{ID: "hail"}), true, 2},
		"no cause":                   {explain(), false, 2},
		"what may be one":            {explain(perhaps), false, 2},
	} {
		b := newBed(t)
		var given []time.Duration
		c := lab.Check{ID: "c", Before: true, Probe: silent{patient{func(d time.Duration) { given = append(given, d) }}, tt.holds}}
		plan := lab.Plan{Lab: "lab", Steps: []lab.Step{{ID: "one", Checks: []lab.Check{c}}}, Explain: tt.explain}
		if err := b.runner().Run(b.ctx, plan, b.journal("lab"), lab.Options{}); err != nil {
			t.Fatal(err)
		}
		mark := map[bool]string{false: "✗", true: "✓"}[tt.holds]
		b.says("run-start", "step-start one", "check one before c wait "+mark, "check one after c wait ✓", "step-end one", "run-end up")
		if len(given) != tt.tries+1 {
			t.Fatalf("%s: it was tried with patience %v", name, given)
		}
		if long := given[tt.tries-1] > 100*time.Millisecond; long == (name == "a cause") {
			t.Errorf("%s: at last the patience was %v", name, given[tt.tries-1])
		}
	}
}

func TestACauseOfSilenceIsLookedForOnceAStep(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	nobody := func(id string) lab.Check {
		return lab.Check{ID: id, Before: true, Probe: silent{patient{func(time.Duration) {}}, false}}
	}
	var looked []string
	plan := lab.Plan{Lab: "lab", Steps: []lab.Step{
		{ID: "one", Checks: []lab.Check{nobody("a"), nobody("b")}}, {ID: "two", Checks: []lab.Check{nobody("c")}},
	}}
	plan.Explain = func(_ context.Context, _ *kernel.Kernel, stepID string) ([]lab.Cause, error) {
		looked = append(looked, stepID)
		return []lab.Cause{{ID: "hail"}}, nil
	}
	if err := b.runner().Run(b.ctx, plan, b.journal("lab"), lab.Options{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one", "two"}, looked); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Those that are independent are tried at once before the step, too: each waits for
// the others here.
func TestIndependentChecksBeforeAStepAreTriedAtOnce(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	var now sync.Mutex
	r := b.runner()
	next := r.Now
	r.Now = func() time.Time { now.Lock(); defer now.Unlock(); return next() }
	var all sync.WaitGroup
	all.Add(2)
	var once sync.Map
	meet := func(id string) lab.Check {
		return lab.Check{ID: id, Before: true, Probe: apart{patient{func(time.Duration) {
			if _, met := once.LoadOrStore(id, true); !met { // after the step they need not meet
				all.Done()
			}
			all.Wait()
		}}}}
	}
	plan := lab.Plan{Lab: "lab", Steps: []lab.Step{{ID: "one", Checks: []lab.Check{meet("a"), meet("b")}}}}
	if err := r.Run(b.ctx, plan, b.journal("lab"), lab.Options{}); err != nil {
		t.Fatal(err)
	}
	b.says("run-start", "step-start one", "check one before a wait ✓", "check one before b wait ✓",
		"check one after a wait ✓", "check one after b wait ✓", "step-end one", "run-end up")
}

type apart struct{ patient }

func (apart) Independent() {}

// silent holds before its step only where it says so, and after it.
type silent struct {
	patient
	holds bool
}

func (s silent) Try(ctx context.Context, k *kernel.Kernel, d time.Duration) (lab.Observation, error) {
	o, err := s.patient.Try(ctx, k, d)
	o.Holds = s.holds || d > time.Second // which is after it
	return o, err
}
