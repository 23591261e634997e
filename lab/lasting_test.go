package lab_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
)

// visit is a lab whose last step takes back what the one before it did.
func visit(w *world) []lab.Step {
	comes := set{w: w, Key: "guest", Value: "here"}
	return []lab.Step{
		{
			ID: "house", Ops: []lab.Op{set{w: w, Key: "door", Value: "red"}},
			Checks: []lab.Check{{ID: "stands", Probe: probe{w, "door", "red"}}},
		},
		{
			ID: "visit", Ops: []lab.Op{set{w: w, Key: "tea", Value: "hot"}, comes},
			Checks: []lab.Check{
				{ID: "seen", Probe: probe{w, "guest", "here"}, Until: "goodbye"},
				{ID: "tea", Probe: probe{w, "tea", "hot"}},
			},
		},
		{
			ID: "goodbye", Ops: comes.Undo(),
			Checks: []lab.Check{{ID: "gone", Probe: probe{w, "guest", ""}, Before: true}},
		},
	}
}

// verifiedVisit is what is said of the steps when all is verified.
var verifiedVisit = []string{
	"step-start house already-done",
	"op-done house already-done set door red",
	"check house after stands get door same ✓",
	"step-end house already-done",
	"step-start visit already-done",
	"op-done visit already-done set tea hot",
	"check-over visit seen get guest",
	"check visit after tea get tea same ✓",
	"step-end visit already-done",
	"step-start goodbye already-done",
	"op-done goodbye already-done restore guest ''",
	"check goodbye after gone get guest same ✓",
	"step-end goodbye already-done",
}

func TestWhatALaterStepTookBackIsVerifiedNoMore(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.up("visit", visit(b.w)...)
	if err := b.run("visit", visit(b.w), lab.Options{}); err != nil {
		t.Errorf("again: %v", err)
	}
	b.says(slices.Concat([]string{"run-start"}, verifiedVisit, []string{"run-end up"})...)

	plan := lab.Plan{Lab: "visit", Scenario: "scenario", Steps: visit(b.w)}
	for name, done := range map[string]func(string) bool{
		"a lab": func(string) bool { return true }, "made by hand": nil,
	} {
		if err := b.runner().Check(b.ctx, plan, done); err != nil {
			t.Errorf("check of %s: %v", name, err)
		}
		if end := b.events[len(b.events)-1]; end.Steps != 3 || end.Checks != 3 || end.Tried != 3 {
			t.Errorf("check of %s: run-end: %+v", name, end)
		}
		b.says(slices.Concat([]string{"run-start"}, verifiedVisit, []string{"run-end up"})...)
	}
	b.down("visit")
	b.has()
}

// A step that failed halfway has taken back what it had come to.
func TestAStepThatFailedMayHaveTakenBackWhatAnEarlierOneDid(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.on["get guest"] = func() error {
		if b.w.get("guest") == "" {
			return errBoom
		}
		return nil
	}
	if err := b.run("visit", visit(b.w), lab.Options{}); err == nil {
		t.Fatal("it did not fail")
	}
	clear(b.w.on)
	b.events = nil
	if err := b.run("visit", visit(b.w), lab.Options{}); err != nil {
		t.Errorf("going on: %v: %v", err, b.said())
	}
	b.down("visit")
	b.has()
}

// Of what was made by hand nobody knows how far it went.
func TestCheckByHandFindsHowFarItWent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, world string
		steps       int
		last        string // check that was tried or over, in order
	}{
		{name: "nothing", steps: 0, last: "stands✗"},
		{name: "the house", world: "door=red", steps: 1, last: "stands✓ seen- tea✗"},
		{name: "the visit", world: "door=red tea=hot guest=here", steps: 2, last: "stands✓ seen✓ tea✓ gone✗"},
		{name: "all", world: "door=red tea=hot", steps: 3, last: "stands✓ seen- tea✓ gone✓"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			for _, pair := range strings.Fields(tt.world) {
				key, value, _ := strings.Cut(pair, "=")
				b.w.put(key, value)
			}
			err := b.runner().Check(b.ctx, lab.Plan{Lab: "visit", Scenario: "scenario", Steps: visit(b.w)}, nil)
			if (err == nil) != (tt.steps == 3) {
				t.Errorf("got %v", err)
			}
			var tried []string
			for _, e := range b.events {
				switch {
				case e.Type == lab.CheckOver:
					tried = append(tried, e.ID+"-")
				case e.Type == lab.CheckDone:
					tried = append(tried, e.ID+map[bool]string{true: "✓", false: "✗"}[*e.Holds])
				}
			}
			if diff := cmp.Diff(tt.last, strings.Join(tried, " ")); diff != "" {
				t.Errorf("checks (-want +got):\n%s", diff)
			}
			if end := b.events[len(b.events)-1]; end.Steps != tt.steps {
				t.Errorf("%d steps are done, not %d", end.Steps, tt.steps)
			}
		})
	}
}
