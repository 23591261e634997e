package lab_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
)

func (b *bed) check(done func(string) bool) error {
	return b.runner().Check(b.ctx, lab.Plan{Lab: "house", Scenario: "scenario", Steps: house(b.w)}, done)
}

func TestCheckReadsBackAndTriesWhatIsDone(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	refused(b.w)
	b.up("house", house(b.w)...)
	before := b.noted("house")
	if err := b.check(func(id string) bool { return id != "roof" }); err != nil {
		t.Error(err)
	}
	if end := b.events[len(b.events)-1]; end.Steps != 2 || end.Total != 3 || end.Checks != 1 {
		t.Errorf("run-end: %+v", end)
	}
	b.says(
		"run-start",
		"step-start walls already-done",
		"op-done walls already-done set north 1",
		"op-done walls already-done set south 1",
		"check walls after stands get south same ✓",
		"step-end walls already-done",
		"step-start paint already-done",
		"op-done paint already-done set door red",
		"step-end paint already-done",
		"run-end partial",
	)
	if after := b.noted("house"); after != before {
		t.Errorf("the journal says %q, it said %q", after, before)
	}
}

func TestCheckTellsAllThatIsNotAsItShouldBe(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	refused(b.w)
	b.up("house", house(b.w)...)
	b.w.put("north", "0")
	b.w.put("door", "green")
	if err := b.check(func(string) bool { return true }); !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
	if end := b.events[len(b.events)-1]; end.Steps != 0 || end.Checks != 2 {
		t.Errorf("run-end: %+v", end)
	}
	b.says(
		"run-start",
		"step-start walls already-done",
		"op-differs walls set north 1 key north: value is 0, not 1 0",
		"op-done walls already-done set south 1",
		"check walls after stands get south same ✓",
		"step-end walls already-done",
		"step-start roof already-done",
		"op-done roof already-done set roof 1",
		"check roof after dry get roof same ✓",
		"check roof after walls-still get north differs ✗ 0",
		"step-end roof already-done",
		"step-start paint already-done",
		"op-differs paint set door red key door: value is green, not red green",
		"step-end paint already-done",
		"run-end failed",
	)
}

// By hand there are several ways: only what can be observed counts.
func TestCheckOfWhatWasMadeByHandGoesByTheChecks(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for _, key := range []string{"north", "south", "roof"} {
		b.w.put(key, "1")
	}
	b.w.put("door", "green")
	if err := b.check(nil); err != nil {
		t.Error(err)
	}
	said := b.said()
	if diff := cmp.Diff([]string{
		"op-differs paint set door red key door: value is green, not red green", "step-end paint already-done", "run-end up",
	}, said[len(said)-3:]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	b.w.put("roof", "0")
	if err := b.check(nil); !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
}

func TestAProbeThatCannotBeMadeFailsItsCheckAlone(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.on["get south"] = fails
	if err := b.check(func(string) bool { return true }); !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
	said := strings.Join(b.said(), "\n")
	if !strings.Contains(said, "untried ✗") || !strings.Contains(said, "step-end paint") {
		t.Errorf("it said:\n%s", said)
	}
}

func TestShowTouchesNothing(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for _, command := range []string{"set north 1", "set tiles red", "get south", "get roof"} {
		b.w.on[command] = func() error { t.Errorf("%s is done", command); return nil }
	}
	r := b.runner()
	r.Kernel, r.Codec = nil, nil
	r.Show(lab.Plan{Lab: "house", Scenario: "scenario", Steps: house(b.w)}, "roof")
	for i, e := range b.events {
		if e.Phase != lab.Planned || e.Lab != "house" || e.Holds != nil {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	b.says(
		"run-start planned",
		"step-start walls planned",
		"op walls planned set north 1",
		"op walls planned set south 1",
		"check walls planned stands get south",
		"step-end walls planned",
		"step-start roof planned",
		"note roof planned rain today",
		"refused roof planned too-early set tiles red",
		"op roof planned set roof 1",
		"check roof planned dry get roof",
		"check roof planned walls-still get north",
		"step-end roof planned",
		"run-end planned",
	)
	b.has()
	if labs, err := b.dir.Labs(); err != nil || labs != nil {
		t.Errorf("labs: %v, %v", labs, err)
	}
}
