package lab_test

import (
	"context"
	"errors"
	"testing"

	"netlab/lab"
)

func (b *bed) rewind(name string, steps []lab.Step, to string) error {
	b.t.Helper()
	return b.runner().Rewind(b.ctx, lab.Plan{Lab: name, Scenario: "scenario", Steps: steps}, b.journal(name), to)
}

func TestRewindUndoesAStepAndThoseAfterIt(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	refused(b.w)
	plan := append(house(b.w), lab.Step{ID: "look", Checks: []lab.Check{{ID: "door", Probe: probe{b.w, "door", "red"}}}})
	b.up("house", plan...)
	if err := b.rewind("house", plan, "roof"); err != nil {
		t.Fatal(err)
	}
	b.says("undo-start roof", "undo paint restore door ''", "undo roof restore roof ''", "undo-end roof rewound")
	b.has("north", "1", "south", "1")
	s, err := b.dir.Read("house")
	if err != nil {
		t.Fatal(err)
	}
	if _, walls := s.Steps["walls"]; !walls || len(s.Steps) != 1 { // not even the step that changes nothing
		t.Errorf("steps done: %v", s.Steps)
	}
	if err := b.rewind("house", plan, "paint"); err != nil {
		t.Fatal(err)
	}
	b.says() // nothing of it is done
	b.up("house", plan...)
	if err := b.rewind("house", plan, "look"); err != nil {
		t.Fatal(err)
	}
	if s, err = b.dir.Read("house"); err != nil || len(s.Steps) != 3 {
		t.Errorf("steps done: %v, %v", s.Steps, err)
	}
	b.up("house", plan...)
	b.down("house")
	b.has()
}

func TestARewindThatFailsOrIsStoppedKeepsWhatIsLeft(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	plan := abc(b.w)
	b.up("lab", plan...)
	b.w.on["restore c ''"] = func() error { b.stop(); return errBoom }
	err := b.rewind("lab", plan, "s2")
	for _, want := range []error{lab.ErrInterrupted, lab.ErrFailed, errBoom} {
		if !errors.Is(err, want) {
			t.Errorf("got %v, which is not %v", err, want)
		}
	}
	b.says("undo-start s2", "undo-fail s3 restore c '' boom", "undo-end s2 interrupted")
	b.ctx = t.Context()
	b.w.on["restore c ''"] = fails
	if err := b.rewind("lab", plan, "s2"); !errors.Is(err, lab.ErrFailed) || errors.Is(err, lab.ErrInterrupted) {
		t.Errorf("got %v", err)
	}
	b.says("undo-start s2", "undo-fail s3 restore c '' boom", "undo s2 restore b ''", "undo-end s2 failed")
	clear(b.w.on)
	b.up("lab", plan...)
	b.down("lab")
	b.has()
}

// gate answers for whoever steps through a run.
type gate struct {
	failed func() (bool, error)
	before error
	after  error
}

func (g *gate) Before(context.Context, int) error                        { return g.before }
func (g *gate) After(context.Context, int) error                         { return g.after }
func (g *gate) Failed(context.Context, int, error) (again bool, _ error) { return g.failed() }

func TestAStepThatFailedIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	stuck := true
	b.w.on["set a 1"] = func() error {
		if stuck {
			b.w.put("a", "1")
			return errBoom
		}
		return nil
	}
	b.w.on["restore a ''"] = func() error { // the first try can't be taken back at first
		if stuck {
			return errBoom
		}
		return nil
	}
	g := &gate{failed: func() (bool, error) { stuck = false; return true, nil }}
	if err := b.run("lab", steps(set{w: b.w, Key: "a", Value: "1"}), lab.Options{Gate: g}); err != nil {
		t.Errorf("got %v", err)
	}
	if got, want := b.noted("lab"), "a=1x a=1 : s1"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
	b.down("lab")
	b.has()
}

func TestWhoStepsThroughARunCanLeaveIt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		gate *gate
		want error
		end  string
	}{
		"before a step":           {&gate{before: lab.ErrQuit}, nil, "run-end partial"},
		"after a step":            {&gate{after: lab.ErrQuit}, nil, "run-end partial"},
		"after a failure":         {&gate{failed: func() (bool, error) { return false, lab.ErrQuit }}, nil, "run-end partial"},
		"with a failure":          {&gate{failed: func() (bool, error) { return false, nil }}, lab.ErrFailed, "run-end failed"},
		"interrupted":             {&gate{after: lab.ErrInterrupted}, lab.ErrInterrupted, "run-end interrupted"},
		"interrupted by a key":    {&gate{before: lab.ErrInterrupted}, lab.ErrInterrupted, "run-end interrupted"},
		"with what is not a step": {&gate{before: errBoom}, errBoom, "run-end failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			if tt.gate.failed != nil {
				b.w.on["set a 1"] = fails
			}
			if err := b.run("lab", abc(b.w), lab.Options{Gate: tt.gate}); !errors.Is(err, tt.want) {
				t.Errorf("got %v", err)
			}
			if said := b.said(); said[len(said)-1] != tt.end {
				t.Errorf("it ended with %q", said[len(said)-1])
			}
		})
	}
}
