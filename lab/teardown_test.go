package lab_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"netlab/lab"
)

func abc(w *world) []lab.Step {
	return steps(set{w: w, Key: "a", Value: "1"}, set{w: w, Key: "b", Value: "1"}, set{w: w, Key: "c", Value: "1"})
}

func TestTeardownUndoesTheLastFirst(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.put("b", "old")
	b.up("lab", abc(b.w)...)
	b.down("lab")
	b.says("undo-start", "undo s3 restore c ''", "undo s2 restore b old", "undo s1 restore a ''", "undo-end down")
	b.has("b", "old")
}

func TestTeardownOfNothingRemovesTheJournal(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.journal("lab")
	b.down("lab")
	b.says("undo-start", "undo-end down")
}

func TestTeardownCarriesOnPastFailuresAndKeepsWhatIsLeft(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.up("lab", abc(b.w)...)
	other := errors.New("bang")
	b.w.on["restore c ''"] = fails
	b.w.on["restore a ''"] = func() error { return other }
	err := b.teardown("lab")
	for _, want := range []error{lab.ErrFailed, errBoom, other} {
		if !errors.Is(err, want) {
			t.Errorf("got %v, which is not %v", err, want)
		}
	}
	if errors.Is(err, lab.ErrInterrupted) {
		t.Errorf("got %v, which is an interruption", err)
	}
	if end := b.events[len(b.events)-1]; end.Total != 2 {
		t.Errorf("undo-end: %+v", end)
	}
	b.says(
		"undo-start", "undo-fail s3 restore c '' boom", "undo s2 restore b ''", "undo-fail s1 restore a '' bang", "undo-end failed",
	)
	b.has("a", "1", "c", "1")
	if got, want := b.noted("lab"), "a=1 b=1x c=1 :"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
	clear(b.w.on)
	b.down("lab")
	b.says("undo-start", "undo s3 restore c ''", "undo s1 restore a ''", "undo-end down")
	b.has()
}

func TestARunGoesOnAfterATeardownThatFailed(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	one := []lab.Step{{ID: "s1", Ops: []lab.Op{
		set{w: b.w, Key: "a", Value: "1"}, set{w: b.w, Key: "b", Value: "1"}, set{w: b.w, Key: "c", Value: "1"},
	}}}
	b.up("lab", one...)
	b.w.on["restore b ''"] = fails
	if err := b.teardown("lab"); !errors.Is(err, lab.ErrFailed) {
		t.Fatal(err)
	}
	clear(b.w.on)
	b.has("b", "1") // the second of three is what is left of the step
	b.up("lab", one...)
	b.has("a", "1", "b", "1", "c", "1")
	if got, want := b.noted("lab"), "a=1x b=1 c=1x a=1 c=1 : s1"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
	b.down("lab")
	b.has()
}

func TestAnUndoThatReadsBackOtherwiseFails(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.put("b", "old")
	b.up("lab", abc(b.w)...)
	b.w.wrong["b"] = "1"
	if err := b.teardown("lab"); !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
	b.says(
		"undo-start", "undo s3 restore c ''",
		"undo-fail s2 restore b old key b: value is 1, not old 1", // and what was found
		"undo s1 restore a ''", "undo-end failed",
	)
}

func TestTeardownLeavesAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		prepare func(*world)
		says    string
	}{
		{"what is gone", func(w *world) { w.put("b", "") }, "undo-skip s2 restore b old gone"},
		{"what others have changed", func(w *world) { w.put("b", "theirs") },
			"undo-skip s2 restore b old changed b is theirs, the lab left 1: changed since by others"},
		{"what others use", func(w *world) {
			w.on["restore b old"] = func() error { return fmt.Errorf("b: %w", lab.ErrInUse) }
		}, "undo-skip s2 restore b old in-use"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.w.put("b", "old")
			b.up("lab", abc(b.w)...)
			tt.prepare(b.w)
			b.down("lab")
			b.says("undo-start", "undo s3 restore c ''", tt.says, "undo s1 restore a ''", "undo-end down")
		})
	}
}

// A journal from a netlab that knows more ops is undone as far as we know it,
// and each op that is not has its reason told.
func TestTeardownTellsOfAnOpItDoesNotKnow(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.up("lab", steps(set{w: b.w, Key: "a", Value: "1"})...)
	j := b.journal("lab")
	unknown := journalOp{Kind: "newer", Op: []byte(`{}`)}
	for seq, undo := range []journalOp{unknown, encoded(t, restore{Key: "x"})} {
		op := []journalOp{encoded(t, set{Key: "y", Value: "1"}), unknown}[seq]
		if _, err := j.Intend(journalPlace{Step: "s2"}, op, []journalOp{undo}); err != nil {
			t.Fatal(err)
		}
		if err := j.Done(seq+2, nil); err != nil {
			t.Fatal(err)
		}
	}
	err := b.teardown("lab")
	if !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
	b.says(
		"undo-start",
		`undo-fail s2 undo op 3, newer: unknown kind of op "newer"`,
		`undo-fail s2 undo op 2, set: unknown kind of op "newer"`,
		"undo s1 restore a ''",
		"undo-end failed",
	)
	if got, want := b.noted("lab"), "a=1x y=1 newer :"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
}

// A journal that can't be written to is told of. What is undone then is found
// gone by a later teardown.
func TestTeardownTellsOfAJournalThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.up("lab", steps(set{w: b.w, Key: "a", Value: "1"})...)
	j, err := b.dir.Open("lab")
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.runner().Teardown(b.ctx, j); !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
	if said := b.said(); len(said) != 3 || !strings.HasPrefix(said[1], "undo-fail s1 undo op 1, set: lock ") {
		t.Errorf("it says %q", said)
	}
	b.down("lab")
	b.has()
}

func TestTeardownTellsThatTheJournalIsThereStill(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	j := b.journal("lab")
	if err := os.Remove(j.Path()); err != nil {
		t.Fatal(err)
	}
	if err := b.runner().Teardown(b.ctx, j); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	b.says("undo-start", "undo-end failed")
}
