package lab_test

import (
	"errors"
	"os"
	"testing"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
)

// A journal that can't be read may be that of a lab that needs it. All else is
// undone; what is shared waits in the journal until the other lab is seen to.
func TestALabThatCannotBeAskedKeepsWhatMayBeShared(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.put("forward", "0")
	b.up("m", append(forwards(b.w, "m"), lab.Step{ID: "s3", Ops: []lab.Op{sole{set{w: b.w, Key: "table", Value: "1"}}}})...)
	if err := os.WriteFile(b.dir.Path("damaged"), []byte("?\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := b.teardown("m")
	if !errors.Is(err, lab.ErrFailed) || !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("got %v", err)
	}
	b.says(
		"undo-start",
		"undo s3 restore table ''", // its undo alone is on something shared: nobody is asked
		"undo-fail s2 restore forward 0 ask whether lab damaged needs it: "+b.dir.Path("damaged")+": line 1 is no header: damaged journal",
		"undo s1 restore own-m ''",
		"undo-end failed",
	)
	b.has("forward", "1")

	b.up("z", forwards(b.w, "z")...) // one that can be asked takes it
	b.down("m")
	b.has("forward", "1", "own-z", "1")
	if err := os.Remove(b.dir.Path("damaged")); err != nil {
		t.Fatal(err)
	}
	b.down("z")
	b.has("forward", "0")
}

// sole is a set on something of one lab's own, whose undo could be anybody's.
type sole struct{ set }

func (sole) Shared() string { return "" }
func (o sole) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	return []lab.Op{restore{w: o.w, Key: o.Key, Left: o.Value, Share: true}}, nil
}

// An op of the other lab that we don't know does not keep one from being seen
// that we know; by itself it may be anything.
func TestAnUnknownOpOfAnotherLabMayNeedWhatIsShared(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.put("forward", "0")
	b.up("a", forwards(b.w, "a")...)
	j := b.journal("b")
	if _, err := j.Intend(journalPlace{Step: "s0"}, journalOp{Kind: "newer", Op: []byte(`{}`)}, nil); err != nil {
		t.Fatal(err)
	}
	if err := j.Done(1, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.teardown("a"); !errors.Is(err, lab.ErrFailed) {
		t.Errorf("got %v", err)
	}
	b.has("forward", "1")
	b.up("b", forwards(b.w, "b")...)
	b.down("a")
	b.has("forward", "1", "own-b", "1")
}
