package lab_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
)

// house is a plan with one of everything.
func house(w *world) []lab.Step {
	return []lab.Step{
		{
			ID:     "walls",
			Ops:    []lab.Op{set{w: w, Key: "north", Value: "1"}, set{w: w, Key: "south", Value: "1"}},
			Checks: []lab.Check{{ID: "stands", Before: true, Probe: probe{w: w, Key: "south", Want: "1"}}},
		},
		{
			ID:       "roof",
			Notes:    []lab.Note{{ID: "rain", Values: map[string]string{"found": "today"}}},
			Refusals: []lab.Refusal{{ID: "too-early", Op: set{w: w, Key: "tiles", Value: "red"}, Errno: syscall.ENETUNREACH}},
			Ops:      []lab.Op{set{w: w, Key: "roof", Value: "1"}},
			Checks: []lab.Check{
				{ID: "dry", Before: true, Probe: probe{w: w, Key: "roof", Want: "1"}},
				{ID: "walls-still", Probe: probe{w: w, Key: "north", Want: "1"}},
			},
		},
		{ID: "paint", Ops: []lab.Op{set{w: w, Key: "door", Value: "red"}}},
	}
}

// refused makes the house's refusal one.
func refused(w *world) {
	w.on["set tiles red"] = func() error {
		return fmt.Errorf("add tiles: %w: Nothing to lay them on", syscall.ENETUNREACH)
	}
}

func TestRunSaysWhatItDoesInOrder(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	refused(b.w)
	err := b.run("house", house(b.w), lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	first, last := b.events[0], b.events[len(b.events)-1]
	if first.Lab != "house" || first.Scenario != "scenario" || first.Machine != "host" || first.Total != 3 {
		t.Errorf("run-start: %+v", first)
	}
	if last.Steps != 3 || last.Total != 3 || last.Checks != 3 || last.Elapsed <= 0 {
		t.Errorf("run-end: %+v", last)
	}
	for i, e := range b.events {
		if e.Lab != "house" || e.Time.IsZero() || i > 0 && e.Time.Before(b.events[i-1].Time) {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	b.says(
		"run-start",
		"step-start walls",
		"check walls before stands get south differs ✗",
		"op walls set north 1",
		"op-done walls set north 1",
		"op walls set south 1",
		"op-done walls set south 1",
		"check walls after stands get south same ✓",
		"step-end walls",
		"step-start roof",
		"note roof rain today",
		"check roof before dry get roof differs ✗",
		"refused roof too-early set tiles red Nothing to lay them on",
		"op roof set roof 1",
		"op-done roof set roof 1",
		"check roof after dry get roof same ✓",
		"check roof after walls-still get north same ✓",
		"step-end roof",
		"step-start paint",
		"op paint set door red",
		"op-done paint set door red",
		"step-end paint",
		"run-end up",
	)
	b.has("north", "1", "south", "1", "roof", "1", "door", "red")
	if got, want := b.noted("house"), "north=1 south=1 tiles=redx roof=1 door=red : walls roof paint"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
}

func TestRunStopsWhereItIsToldAndGoesOnFromThere(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	refused(b.w)
	if err := b.run("house", house(b.w), lab.Options{Until: "walls", NoBefore: true}); err != nil {
		t.Fatal(err)
	}
	b.says(
		"run-start",
		"step-start walls",
		"op walls set north 1",
		"op-done walls set north 1",
		"op walls set south 1",
		"op-done walls set south 1",
		"check walls after stands get south same ✓",
		"step-end walls",
		"run-end partial",
	)
	if err := b.run("house", house(b.w), lab.Options{NoBefore: true}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"run-start",
		"step-start walls already-done",
		"op-done walls already-done set north 1", // read back, its checks left out
		"op-done walls already-done set south 1",
		"step-end walls already-done",
		"step-start roof",
	}, b.said()[:6]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := b.run("house", house(b.w), lab.Options{}); err != nil {
		t.Fatal(err)
	}
	b.says( // all is done: a run that verifies, checks and all
		"run-start",
		"step-start walls already-done",
		"op-done walls already-done set north 1",
		"op-done walls already-done set south 1",
		"check walls after stands get south same ✓",
		"step-end walls already-done",
		"step-start roof already-done",
		"op-done roof already-done set roof 1",
		"check roof after dry get roof same ✓",
		"check roof after walls-still get north same ✓",
		"step-end roof already-done",
		"step-start paint already-done",
		"op-done paint already-done set door red",
		"step-end paint already-done",
		"run-end up",
	)
}

func TestRunNoticesWhatOthersHaveChanged(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	refused(b.w)
	b.up("house", house(b.w)...)
	b.w.put("south", "0")
	if err := b.run("house", house(b.w), lab.Options{}); !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
	b.says(
		"run-start",
		"step-start walls already-done",
		"op-done walls already-done set north 1",
		"op-failed walls set south 1 key south: value is 0, not 1 0",
		"run-end failed",
	)
}
