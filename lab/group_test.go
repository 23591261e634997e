package lab_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
)

// pods is a step that sets one value for all, and two for each pod.
func pods(w *world, n int) lab.Step {
	step := lab.Step{ID: "s1", Ops: []lab.Op{set{w: w, Key: "all", Value: "1"}}}
	for i := 1; i <= n; i++ {
		name := fmt.Sprint("pod", i)
		step.Groups = append(step.Groups, lab.Group{Name: name, Ops: []lab.Op{
			set{w: w, Key: name, Value: "1"}, set{w: w, Key: name + "-b", Value: "1"},
		}})
	}
	return step
}

// groups is each event of the last run that is about an op, with its group.
func (b *bed) groups() []string {
	var said []string
	for _, e := range b.events {
		if e.Command != "" {
			said = append(said, strings.Join(strings.Fields(string(e.Type)+" "+e.Group+": "+e.Command), " "))
		}
	}
	b.events = nil
	return said
}

func TestGroupsAreDoneInOrderAndNamed(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	if err := b.run("lab", []lab.Step{pods(b.w, 2)}, lab.Options{}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"op : set all 1", "op-done : set all 1",
		"op pod1: set pod1 1", "op-done pod1: set pod1 1", "op pod1: set pod1-b 1", "op-done pod1: set pod1-b 1",
		"op pod2: set pod2 1", "op-done pod2: set pod2 1", "op pod2: set pod2-b 1", "op-done pod2: set pod2-b 1",
	}
	if diff := cmp.Diff(want, b.groups()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	b.has("all", "1", "pod1", "1", "pod1-b", "1", "pod2", "1", "pod2-b", "1")
	if err := b.teardown("lab"); err != nil {
		t.Fatal(err)
	}
	want = []string{"undo pod2: restore pod2-b", "undo pod2: restore pod2", "undo pod1: restore pod1-b", "undo pod1: restore pod1", "undo : restore all"}
	if diff := cmp.Diff(want, trimmed(b.groups())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	b.has()
}

// trimmed is without the empty values that things are restored to.
func trimmed(lines []string) []string {
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], " ''")
	}
	return lines
}

func TestARunGoesOnInTheMiddleOfTheGroups(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.w.on["set pod2-b 1"] = fails
	if err := b.run("lab", []lab.Step{pods(b.w, 3)}, lab.Options{}); !errors.Is(err, errBoom) {
		t.Fatalf("got %v", err)
	}
	b.has("all", "1", "pod1", "1", "pod1-b", "1", "pod2", "1")
	last := b.events[len(b.events)-2]
	if last.Type != lab.OpFailed || last.Group != "pod2" {
		t.Errorf("what failed was told as %+v", last)
	}
	delete(b.w.on, "set pod2-b 1")
	b.up("lab", pods(b.w, 3))
	b.has("all", "1", "pod1", "1", "pod1-b", "1", "pod2", "1", "pod2-b", "1", "pod3", "1", "pod3-b", "1")
	b.down("lab")
	b.has()
}

func TestTheSameOpInTwoGroupsIsDoneForEach(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	same := func() []lab.Op { return []lab.Op{set{w: b.w, Key: "x", Value: "1"}} }
	step := lab.Step{ID: "s1", Groups: []lab.Group{{Name: "a", Ops: same()}, {Name: "b", Ops: same()}}}
	b.w.on["set x 1"] = func() error {
		b.w.put("x", "1")
		b.w.on["set x 1"] = fails
		return nil
	}
	if err := b.run("lab", []lab.Step{step}, lab.Options{}); !errors.Is(err, errBoom) {
		t.Fatalf("got %v", err)
	}
	delete(b.w.on, "set x 1")
	if err := b.run("lab", []lab.Step{step}, lab.Options{}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.noted("lab"), "x=1 x=1x x=1 : s1"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
}
