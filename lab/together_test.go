package lab_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"netlab/lab"
	"netlab/lab/kernel"
)

// one sets a key, as set does, of which many can be done together.
type one struct{ set }

func (one) Alters() (kernel.Reading, []string) { return 0, nil }

// crowd is a step that sets a key for each of n, and another one.
func crowd(w *world, n int) lab.Step {
	step := lab.Step{ID: "s1"}
	for i := range n {
		name := fmt.Sprint("pod", i+1)
		step.Groups = append(step.Groups, lab.Group{Name: name, Ops: []lab.Op{
			one{set{w: w, Key: name, Value: "1"}}, one{set{w: w, Key: name + "-b", Value: "1"}},
		}})
	}
	return step
}

func TestManyGroupsAreDoneTogether(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.up("lab", crowd(b.w, 700))
	if len(b.w.values) != 1400 {
		t.Errorf("%d values are set", len(b.w.values))
	}
	b.up("lab", crowd(b.w, 700)) // and are read back
	b.down("lab")
	b.has()
}

// One of many fails: it is named and taken back, the rest stops soon, what is done is
// written down, and another run does what is left.
func TestOneOfManyFails(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(w *world) error{
		"having changed nothing":   func(*world) error { return errBoom },
		"having changed something": func(w *world) error { w.put("pod300-b", "1"); return errBoom },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.w.on["set pod300-b 1"] = func() error { return fail(b.w) }
			if err := b.run("lab", []lab.Step{crowd(b.w, 700)}, lab.Options{}); !errors.Is(err, errBoom) || !errors.Is(err, lab.ErrFailed) {
				t.Fatalf("got %v", err)
			}
			if last := b.events[len(b.events)-2]; last.Type != lab.OpFailed || last.Group != "pod300" || last.Command != "set pod300-b 1" {
				t.Errorf("what failed was told as %+v", last)
			}
			if b.w.get("pod300-b") != "" || b.w.get("pod700") != "1" || b.w.get("pod600-b") != "" {
				t.Errorf("it did not stop where it failed: %d values", len(b.w.values))
			}
			b.consistent("lab")
			delete(b.w.on, "set pod300-b 1")
			b.up("lab", crowd(b.w, 700))
			if len(b.w.values) != 1400 {
				t.Errorf("%d values are set", len(b.w.values))
			}
			b.consistent("lab")
			b.down("lab")
			b.has()
		})
	}
}

func TestManyAreInterrupted(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.on["set pod300 1"] = func() error { b.stop(); return nil }
	if err := b.run("lab", []lab.Step{crowd(b.w, 700)}, lab.Options{}); !errors.Is(err, lab.ErrInterrupted) || errors.Is(err, lab.ErrFailed) {
		t.Fatalf("got %v", err)
	}
	if b.w.get("pod600") != "" {
		t.Errorf("it went on: %d values", len(b.w.values))
	}
	b.consistent("lab")
	delete(b.w.on, "set pod300 1")
	b.ctx = t.Context()
	b.up("lab", crowd(b.w, 700))
	b.down("lab")
	b.has()
}

// Of many that are not as they were set, one is told of.
func TestOneOfManyReadsBackOtherwise(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.wrong["pod300"] = "7"
	var differs *lab.Mismatch
	if err := b.run("lab", []lab.Step{crowd(b.w, 700)}, lab.Options{}); !errors.As(err, &differs) || differs.Object != "key pod300" {
		t.Errorf("got %v", err)
	}
	if last := b.events[len(b.events)-2]; last.Group != "pod300" {
		t.Errorf("told as %+v", last)
	}
	clear(b.w.wrong)
	b.down("lab")
	b.has()
}

// No two are done at a time where they are few.
func TestFewAreDoneOneByOne(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	var at atomic.Int64
	for i := range 20 {
		b.w.on[fmt.Sprintf("set pod%d 1", i+1)] = func() error {
			if n := at.Add(1); n != int64(i+1) {
				t.Errorf("pod%d is done as number %d", i+1, n)
			}
			return nil
		}
	}
	b.up("lab", crowd(b.w, 20))
}

// consistent fails the test unless what is set is what the journal says is done.
func (b *bed) consistent(name string) {
	b.t.Helper()
	done := map[string]bool{}
	for _, word := range strings.Fields(b.noted(name)) {
		key, _, isOp := strings.Cut(word, "=")
		if isOp && strings.HasSuffix(word, "!") {
			b.t.Errorf("%s is announced, and neither done nor undone", key)
		}
		if isOp && !strings.HasSuffix(word, "x") {
			done[key] = true
		}
	}
	for key := range b.w.values {
		if !done[key] {
			b.t.Errorf("%s is set, and the journal does not know it", key)
		}
	}
	for key := range done {
		if b.w.get(key) == "" {
			b.t.Errorf("%s is done, says the journal", key)
		}
	}
}
