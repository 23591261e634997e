package lab_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"netlab/lab"
	"netlab/lab/journal"
)

// forwards needs what all labs share, and has something of its own.
func forwards(w *world, name string) []lab.Step {
	return steps(set{w: w, Key: "own-" + name, Value: "1"}, set{w: w, Key: "forward", Value: "1", Share: true})
}

func TestTheLastLabDownPutsBackWhatTheyShare(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{
		{"a", "b"}, {"b", "a"},
		{"a", "b", "c"}, {"a", "c", "b"}, {"b", "a", "c"}, {"b", "c", "a"}, {"c", "a", "b"}, {"c", "b", "a"},
	} {
		t.Run(fmt.Sprint(names), func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.w.put("forward", "0")
			up := map[string]bool{}
			for _, name := range []string{"a", "b", "c"}[:len(names)] {
				b.up(name, forwards(b.w, name)...)
				up[name] = true
			}
			for i, name := range names {
				b.events = nil
				b.down(name)
				delete(up, name)
				want := "0"
				if i < len(names)-1 {
					want = "1"
				}
				if got := b.w.get("forward"); got != want {
					t.Fatalf("after %s went, with %v up, forward is %s: %q", name, up, got, b.said())
				}
				for other := range up {
					if err := b.run(other, forwards(b.w, other), lab.Options{}); err != nil {
						t.Errorf("%s after %s went: %v", other, name, err)
					}
				}
			}
			b.has("forward", "0")
		})
	}
}

func TestTheHandOverIsTold(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.put("forward", "0")
	b.up("a", forwards(b.w, "a")...)
	b.up("b", forwards(b.w, "b")...)
	b.down("a")
	b.says("undo-start", "undo-skip s2 restore forward 0 handed-over", "undo s1 restore own-a ''", "undo-end down")
	s, err := b.dir.Read("b")
	if err != nil {
		t.Fatal(err)
	}
	if e := s.Entries[1]; len(e.Undo) != 0 || len(e.Taken) != 1 {
		t.Errorf("the journal of b: %+v", e)
	}
	b.down("b")
	b.says("undo-start", "undo s2 restore forward 0", "undo s1 restore own-b ''", "undo-end down")
}

// What is handed over while a lab is torn down is undone with the rest, though it
// was not there when that began.
func TestTeardownSeesWhatIsHandedOverMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.put("forward", "0")
	b.up("a", forwards(b.w, "a")...)
	b.up("b", steps(set{w: b.w, Key: "forward", Value: "1", Share: true}, set{w: b.w, Key: "own-b", Value: "1"})...)
	other := newBed(t)
	other.w, other.dir = b.w, b.dir
	b.w.on["restore own-b ''"] = func() error { other.down("a"); return nil }
	b.down("b")
	b.says("undo-start", "undo s2 restore own-b ''", "undo s1 restore forward 0", "undo-end down")
	other.says("undo-start", "undo-skip s2 restore forward 0 handed-over", "undo s1 restore own-a ''", "undo-end down")
	b.has("forward", "0")
}

// The other lab was killed when it had announced that it needs the same, and
// takes it over all the same.
func TestALabTakesOverBeforeItsOwnOpIsDone(t *testing.T) {
	t.Parallel()
	for _, then := range []string{"teardown", "run"} {
		t.Run(then, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.w.put("forward", "0")
			b.up("a", forwards(b.w, "a")...)
			o := set{w: b.w, Key: "forward", Value: "1", Share: true}
			if _, err := b.journal("b").Intend(journalPlace{Step: "s1"}, encoded(t, o), nil); err != nil {
				t.Fatal(err)
			}
			b.down("a")
			b.has("forward", "1")
			if then == "run" {
				b.up("b", steps(o)...)
				b.has("forward", "1")
			}
			b.down("b")
			b.has("forward", "0")
		})
	}
}

// Labs that come and go at once never take from each other what they share.
func TestLabsComeAndGoAtOnce(t *testing.T) {
	t.Parallel()
	first := newBed(t)
	first.w.put("forward", "0")
	var all sync.WaitGroup
	for n := range 5 {
		b := newBed(t)
		b.w, b.dir = first.w, first.dir
		all.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(n), 6))
			name := fmt.Sprint("lab-", n)
			plan := append(forwards(b.w, name), lab.Step{
				ID: "works", Checks: []lab.Check{{ID: "c", Probe: probe{b.w, "forward", "1"}}},
			})
			run := func(o lab.Options) {
				j, err := b.dir.Open(name)
				if errors.Is(err, os.ErrNotExist) {
					j, err = b.dir.Create(journal.Header{Lab: name, Scenario: "s"})
				}
				if err == nil {
					err = b.runner().Run(b.ctx, lab.Plan{Lab: name, Steps: plan}, j, o)
				}
				if err != nil {
					t.Errorf("%s: %v, %q", name, err, b.said())
					return
				}
				if err := j.Close(); err != nil {
					t.Error(err)
				}
			}
			for range 12 {
				run(lab.Options{})
				for range rng.IntN(3) {
					time.Sleep(time.Duration(rng.IntN(1000)) * time.Microsecond)
					run(lab.Options{}) // it holds still, whoever came and went
				}
				j, err := b.dir.Open(name)
				if err == nil {
					err = errors.Join(b.runner().Teardown(b.ctx, j), j.Close())
				}
				if err != nil {
					t.Errorf("%s: %v, %q", name, err, b.said())
					return
				}
			}
		})
	}
	all.Wait()
	first.has("forward", "0")
}
