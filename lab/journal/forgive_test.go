package journal

import (
	"os"
	"testing"
)

// A teardown goes on where the disk takes nothing more; what was undone is known
// as long as the journal is open, also after it was read again.
func TestWhatCantBeWrittenOfAnUndoIsRemembered(t *testing.T) {
	t.Parallel()
	d, j := create(t)
	for range 2 {
		if _, err := j.Intend(Place{Step: "one"}, sized("do", 3), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.StepDone("one", at(1)); err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	whole := j.file
	j.file = full
	t.Cleanup(func() { _ = whole.Close() })
	if err := j.Undone(2); err == nil {
		t.Error("nothing was written, and that was not said")
	}
	j.torn = nil // a character device can't be truncated
	j.Forgive()
	for _, undo := range []func() error{
		func() error { return j.StepUndone("one", at(2)) }, func() error { return j.Undone(2) }, j.Reload,
	} {
		if err := undo(); err != nil {
			t.Error(err)
		}
		j.torn = nil
	}
	if _, done := j.Steps["one"]; done || len(j.Open()) != 1 || j.Open()[0].Seq != 1 {
		t.Errorf("open are %v, done %v", j.Open(), j.Steps)
	}
	if err := j.Undone(2); err == nil {
		t.Error("undone twice")
	}
	if _, err := j.Intend(Place{Step: "two"}, sized("do", 3), nil); err == nil {
		t.Error("an op was announced that nobody will know of")
	}
	if s, err := d.Read("lab"); err != nil || len(s.Open()) != 2 {
		t.Errorf("the file: %v, %v", s.Open(), err)
	}
}
