package lab_test

import (
	"context"
	"errors"
	"testing"

	"netlab/lab"
)

// Wherever a run is stopped, what is done is done and written down, and another
// run goes on to the end.
func TestARunIsStoppedBetweenTwoChanges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ at, last, noted string }{
		{"get south", "step-start walls", ":"},
		{"set north 1", "op-done walls set north 1", "north=1 :"},
		{"set south 1", "op-done walls set south 1", "north=1 south=1 :"},
		{"set roof 1", "op-done roof set roof 1", "north=1 south=1 tiles=redx roof=1 : walls"},
		{"get roof", "note roof rain today", "north=1 south=1 : walls"},
		{"get north", "check roof after dry get roof same ✓", "north=1 south=1 tiles=redx roof=1 : walls"},
		{"set door red", "step-end paint", "north=1 south=1 tiles=redx roof=1 door=red : walls roof paint"},
	} {
		t.Run(tt.at, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			refused(b.w)
			hook := b.w.on[tt.at]
			b.w.on[tt.at] = func() error {
				b.stop()
				if hook != nil {
					return hook()
				}
				return nil
			}
			err := b.run("house", house(b.w), lab.Options{})
			said := b.said()
			end := "run-end interrupted"
			if tt.at == "set door red" { // the last change: nothing is left to be stopped
				end = "run-end up"
			}
			if errors.Is(err, lab.ErrInterrupted) != (end == "run-end interrupted") || errors.Is(err, lab.ErrFailed) {
				t.Errorf("got %v", err)
			}
			if n := len(said); said[n-1] != end || said[n-2] != tt.last {
				t.Errorf("it ended with %q", said[n-2:])
			}
			if got := b.noted("house"); got != tt.noted {
				t.Errorf("the journal says %q, want %q", got, tt.noted)
			}
			delete(b.w.on, tt.at)
			refused(b.w)
			b.ctx = t.Context()
			b.up("house", house(b.w)...)
			b.has("north", "1", "south", "1", "roof", "1", "door", "red")
			b.down("house")
			b.has()
		})
	}
}

func TestARunThatIsStoppedFirstStillRollsBack(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	o := set{w: b.w, Key: "a", Value: "1"}
	if _, err := b.journal("lab").Intend(journalPlace{Step: "s1"}, encoded(t, o), []journalOp{encoded(t, o.Undo()[0])}); err != nil {
		t.Fatal(err)
	}
	b.w.put("a", "1")
	b.stop()
	if err := b.run("lab", steps(o), lab.Options{}); !errors.Is(err, lab.ErrInterrupted) {
		t.Errorf("got %v", err)
	}
	b.says("run-start", "run-end interrupted")
	b.has()
}

// Between any two undos a teardown can be stopped; then another one does the
// rest, or a run goes on.
func TestATeardownIsStoppedBetweenTwoUndos(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"restore north ''", "restore south ''", "restore roof ''", "restore door ''"} {
		for _, then := range []string{"teardown", "run"} {
			t.Run(at+" then "+then, func(t *testing.T) {
				t.Parallel()
				b := newBed(t)
				refused(b.w)
				b.up("house", house(b.w)...)
				b.w.on[at] = func() error { b.stop(); return nil }
				err := b.teardown("house")
				if at == "restore north ''" { // the last one
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				if !errors.Is(err, lab.ErrInterrupted) || errors.Is(err, lab.ErrFailed) {
					t.Errorf("got %v", err)
				}
				if end := b.events[len(b.events)-1]; end.Outcome != lab.Interrupted || end.Total == 0 {
					t.Errorf("undo-end: %+v", end)
				}
				b.ctx = t.Context()
				if then == "run" {
					b.up("house", house(b.w)...)
					b.has("north", "1", "south", "1", "roof", "1", "door", "red")
				}
				b.down("house")
				b.has()
			})
		}
	}
}

func TestAStoppedTeardownTellsOfWhatFailedToo(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.up("lab", steps(set{w: b.w, Key: "a", Value: "1"}, set{w: b.w, Key: "b", Value: "1"})...)
	b.w.on["restore b ''"] = func() error { b.stop(); return errBoom }
	err := b.teardown("lab")
	for _, want := range []error{lab.ErrInterrupted, lab.ErrFailed, errBoom} {
		if !errors.Is(err, want) {
			t.Errorf("got %v, which is not %v", err, want)
		}
	}
	b.says("undo-start", "undo-fail s2 restore b '' boom", "undo-end interrupted")
	b.has("a", "1", "b", "1")
}

func TestCheckIsStopped(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"get south", "get roof"} {
		b := newBed(t)
		refused(b.w)
		b.up("house", house(b.w)...)
		ctx, stop := context.WithCancel(t.Context())
		b.w.on[at] = func() error { stop(); return nil }
		err := b.runner().Check(ctx, lab.Plan{Lab: "house", Scenario: "scenario", Steps: house(b.w)}, nil)
		if !errors.Is(err, lab.ErrInterrupted) || errors.Is(err, lab.ErrFailed) {
			t.Errorf("%s: %v", at, err)
		}
		if said := b.said(); said[len(said)-1] != "run-end interrupted" {
			t.Errorf("%s: it ended with %q", at, said[len(said)-1])
		}
	}
}
