package lab_test

import (
	"errors"
	"testing"

	"netlab/lab"
	"netlab/lab/kernel"
)

var errBoom = errors.New("boom")

func fails() error { return errBoom }

// halfway is an Apply that changes something and fails all the same.
func halfway(w *world, key, value string) func() error {
	return func() error {
		w.put(key, value)
		return errBoom
	}
}

func TestAnOpThatFailsIsTakenBack(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.on["set b 1"] = halfway(b.w, "b", "1")
	plan := steps(set{w: b.w, Key: "a", Value: "1"}, set{w: b.w, Key: "b", Value: "1"}, set{w: b.w, Key: "c", Value: "1"})
	if err := b.run("lab", plan, lab.Options{}); !errors.Is(err, lab.ErrFailed) || !errors.Is(err, errBoom) {
		t.Errorf("got %v", err)
	}
	b.says(
		"run-start",
		"step-start s1", "op s1 set a 1", "op-done s1 set a 1", "step-end s1",
		"step-start s2", "op s2 set b 1", "op-failed s2 set b 1 boom",
		"run-end failed",
	)
	b.has("a", "1")
	if got, want := b.noted("lab"), "a=1 b=1x : s1"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
	delete(b.w.on, "set b 1")
	b.up("lab", plan...)
	b.has("a", "1", "b", "1", "c", "1")
}

func TestAnOpThatFailsAndCannotBeTakenBackStaysInTheJournal(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.on["set a 1"] = halfway(b.w, "a", "1")
	stuck := errors.New("stuck")
	b.w.on["restore a"] = func() error { return stuck }
	b.w.on["restore a ''"] = b.w.on["restore a"]
	plan := steps(set{w: b.w, Key: "a", Value: "1"})
	err := b.run("lab", plan, lab.Options{})
	if !errors.Is(err, lab.ErrFailed) || !errors.Is(err, errBoom) || !errors.Is(err, stuck) {
		t.Errorf("got %v", err)
	}
	if got, want := b.noted("lab"), "a=1! :"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
	if err := b.run("lab", plan, lab.Options{}); !errors.Is(err, stuck) { // nothing is done before it is taken back
		t.Errorf("the next run: %v", err)
	}
	clear(b.w.on)
	b.up("lab", plan...)
	if got, want := b.noted("lab"), "a=1x a=1 : s1"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
}

// What a killed run announced may have been done, or not.
func TestRunRollsBackAnUnfinishedOpBeforeItGoesOn(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]string{"that was not done": "", "that was done": "1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.w.put("a", "0")
			o := set{w: b.w, Key: "a", Value: "1"}
			inverse, err := o.Inverse(b.k)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.journal("lab").Intend(journalPlace{Step: "s1"}, encoded(t, o), []journalOp{encoded(t, inverse[0])}); err != nil {
				t.Fatal(err)
			}
			if left != "" {
				b.w.put("a", left)
			}
			var before string
			b.w.on["set a 1"] = func() error { before = b.w.get("a"); return nil }
			b.up("lab", steps(o)...)
			if before != "0" {
				t.Errorf("when it was done again, a was %q", before)
			}
			if got, want := b.noted("lab"), "a=1x a=1 : s1"; got != want {
				t.Errorf("the journal says %q, want %q", got, want)
			}
			b.down("lab")
			b.has("a", "0")
		})
	}
}

func TestAChangeThatReadsBackOtherwiseFails(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.wrong["a"] = "7"
	err := b.run("lab", steps(set{w: b.w, Key: "a", Value: "1"}), lab.Options{})
	var differs *lab.Mismatch
	if !errors.Is(err, lab.ErrFailed) || !errors.As(err, &differs) {
		t.Errorf("got %v", err)
	}
	failed := b.events[3]
	if failed.Type != lab.OpFailed || failed.Values["object"] != "key a" || failed.Values["field"] != "value" ||
		failed.Values["want"] != "1" || failed.Values["found"] != "7" {
		t.Errorf("the event: %+v", failed)
	}
	if got, want := b.noted("lab"), "a=1 :"; got != want { // it was done, and is there to be undone
		t.Errorf("the journal says %q, want %q", got, want)
	}
	clear(b.w.wrong)
	b.down("lab")
	b.has()
}

func TestAnOpWhosePlaceIsTakenIsNotAnnounced(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	err := b.run("lab", []lab.Step{{ID: "s1", Ops: []lab.Op{taken{}}}}, lab.Options{})
	if !errors.Is(err, lab.ErrTaken) || !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
	b.says("run-start", "step-start s1", "op s1 set x 1", "op-failed s1 set x 1 taken", "run-end failed")
	if got, want := b.noted("lab"), ":"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
}

type taken struct{ set }

func (taken) Inverse(*kernel.Kernel) ([]lab.Op, error) { return nil, lab.ErrTaken }
func (taken) Command() lab.Command                     { return lab.Command{"set", "x", "1"} }
