package lab_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel"
)

func TestACheckThatDoesNotHoldFailsItsStepAndIsExplained(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	refused(b.w)
	b.w.on["get roof"] = func() error { b.w.put("roof", "leaks"); return nil }
	plan := lab.Plan{Lab: "house", Scenario: "scenario", Steps: house(b.w)}
	plan.Explain = func(_ context.Context, _ *kernel.Kernel, stepID string) ([]lab.Cause, error) {
		return []lab.Cause{{ID: "hail-on-" + stepID, Repair: lab.Command{"mend", "it"}}}, nil
	}
	err := b.runner().Run(b.ctx, plan, b.journal("house"), lab.Options{NoBefore: true, Until: "roof"})
	if !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
	said := b.said()
	if diff := cmp.Diff([]string{
		"check roof after dry get roof differs ✗ leaks",
		"check roof after walls-still get north same ✓", // all are tried
		"cause roof hail-on-roof mend it",
		"run-end failed",
	}, said[len(said)-4:]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got, want := b.noted("house"), "north=1 south=1 tiles=redx roof=1 : walls"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
	delete(b.w.on, "get roof")
	b.w.put("roof", "1")
	if err := b.run("house", house(b.w), lab.Options{}); err != nil { // mended
		t.Errorf("run again: %v", err)
	}
	if got, want := b.noted("house"), "north=1 south=1 tiles=redx roof=1 door=red : walls roof paint"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
}

func TestAProbeThatCannotBeMadeIsACheckThatFails(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.on["get south"] = func() error { return errors.New("no socket") }
	if err := b.run("house", house(b.w), lab.Options{NoBefore: true}); !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
	b.says("run-start", "step-start walls",
		"op walls set north 1", "op-done walls set north 1", "op walls set south 1", "op-done walls set south 1",
		"check walls after stands get south untried ✗", "run-end failed")
}

func TestChecksAreGivenPatience(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	var given []time.Duration
	p := patient{func(d time.Duration) { given = append(given, d) }}
	b.up("lab", lab.Step{ID: "one", Checks: []lab.Check{{ID: "c", Before: true, Probe: p}}})
	if len(given) != 2 || given[0] >= given[1] {
		t.Errorf("before and after: %v", given)
	}
}

type patient struct{ given func(time.Duration) }

func (patient) Command() lab.Command { return lab.Command{"wait"} }

func (p patient) Try(_ context.Context, _ *kernel.Kernel, d time.Duration) (lab.Observation, error) {
	p.given(d)
	return lab.Observation{Holds: true}, nil
}
