package lab_test

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
)

func TestALeftOutStepIsTriedAndTheRestIsDone(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	refused(b.w)
	err := b.run("house", house(b.w), lab.Options{NoBefore: true, LeaveOut: []string{"walls"}, GoOn: true})
	if !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
	if end := b.events[len(b.events)-1]; end.Steps != 1 || end.Checks != 1 || end.Tried != 3 {
		t.Errorf("run-end: %+v", end)
	}
	b.says(
		"run-start",
		"step-start walls",
		"left-out walls",
		"check walls after stands get south differs ✗",
		"step-end walls",
		"step-start roof",
		"note roof rain today",
		"refused roof too-early set tiles red Nothing to lay them on",
		"op roof set roof 1",
		"op-done roof set roof 1",
		"check roof after dry get roof same ✓",
		"check roof after walls-still get north differs ✗",
		"step-end roof",
		"step-start paint",
		"op paint set door red",
		"op-done paint set door red",
		"step-end paint",
		"run-end failed",
	)
	b.has("roof", "1", "door", "red")
	if got, want := b.noted("house"), "tiles=redx roof=1 door=red : paint"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
	b.down("house")
	b.has()
}

// A change that fails is taken back, and told of; the others of its step are made.
func TestARunGoesOnPastAChangeThatFails(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	refused(b.w)
	b.w.on["set north 1"] = func() error {
		b.w.put("north", "1") // it was made, and something after it failed
		return syscall.ENODEV
	}
	plan := house(b.w)[:1]
	if err := b.run("house", plan, lab.Options{NoBefore: true, GoOn: true}); !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
	b.says(
		"run-start",
		"step-start walls",
		"op walls set north 1",
		"op-failed walls set north 1 no such device",
		"op walls set south 1",
		"op-done walls set south 1",
		"check walls after stands get south same ✓",
		"step-end walls",
		"run-end failed",
	)
	b.has("south", "1")
	if got, want := b.noted("house"), "north=1x south=1 :"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
}

func TestALeftOutStepMayMakeNoDifference(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.put("north", "1")
	plan := []lab.Step{
		{ID: "so", Ops: []lab.Op{set{w: b.w, Key: "north", Value: "1"}}},
		{ID: "look", Checks: []lab.Check{{ID: "stands", Probe: probe{w: b.w, Key: "north", Want: "1"}}}},
		{ID: "else", Ops: []lab.Op{set{w: b.w, Key: "north", Value: "1"}, set{w: b.w, Key: "south", Value: "1"}}},
	}
	if err := b.run("house", plan, lab.Options{LeaveOut: []string{"so", "look", "else"}, GoOn: true}); err != nil {
		t.Error(err)
	}
	b.says(
		"run-start",
		"step-start so", "left-out so already-so", "step-end so",
		"step-start look", "left-out look no-changes", "check look after stands get north same ✓", "step-end look",
		"step-start else", "left-out else", "step-end else",
		"run-end partial",
	)
	b.has("north", "1")
}

// Each of these holds only while the other is tried.
func TestIndependentChecksAreTriedAtOnce(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	var both sync.WaitGroup
	both.Add(2)
	m := meeting{met: func(ctx context.Context) bool {
		both.Done()
		done := make(chan struct{})
		go func() { both.Wait(); close(done) }()
		select {
		case <-done:
			return true
		case <-ctx.Done():
			return false
		}
	}}
	var now sync.Mutex
	r := b.runner()
	clock := r.Now
	r.Now = func() time.Time {
		now.Lock()
		defer now.Unlock()
		return clock()
	}
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	plan := lab.Plan{Lab: "lab", Steps: []lab.Step{{ID: "one", Checks: []lab.Check{
		{ID: "first", Probe: m}, {ID: "second", Probe: m}, {ID: "alone", Probe: probe{w: b.w, Key: "x"}},
	}}}}
	if err := r.Run(ctx, plan, b.journal("lab"), lab.Options{}); err != nil {
		t.Error(err)
	}
	b.says("run-start", "step-start one",
		"check one after first meet ✓", "check one after second meet ✓", "check one after alone get x same ✓",
		"step-end one", "run-end up")
}

type meeting struct{ met func(context.Context) bool }

func (meeting) Independent() {}

func (meeting) Command() lab.Command { return lab.Command{"meet"} }

func (m meeting) Try(ctx context.Context, _ *kernel.Kernel, _ time.Duration) (lab.Observation, error) {
	return lab.Observation{Holds: m.met(ctx)}, nil
}
