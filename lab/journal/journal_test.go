package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryRecordIsReadBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	d, j := create(t)
	op := func(text string) Op { return Op{Kind: "kind", Op: json.RawMessage(text)} }
	undo := []Op{op(`{"first":1}`), op(`{"second":[true,null]}`)}
	for _, write := range []func() error{
		func() error {
			_, err := j.Intend(Place{Step: "one"}, op(`{"text":"ü <&> \u0000 \n"}`), undo)
			return err
		},
		func() error { return j.Done(1, []Made{made("veth", 7), made("c-eth0", 6)}) },
		func() error { return j.StepDone("one", at(3)) },
		func() error { _, err := j.Intend(Place{Step: "two"}, op(`{}`), nil); return err },
		func() error { return j.Done(2, nil) },
		func() error { return j.Take(2, "other", undo[:1]) },
		func() error { return j.Take(2, "third", undo[1:]) },
		func() error { return j.StepDone("two", at(4)) },
		func() error { return j.StepUndone("two", at(5)) },
		func() error { _, err := j.Intend(Place{Step: "three"}, op(`3`), undo[:1]); return err },
		func() error { return j.Undone(3) },
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
		sameOnDisk(t, d, j)
	}
	want := State{
		Header: Header{
			Version: Version, Lab: "lab", Scenario: "scenario", Created: at(0),
			Params: map[string]string{"subnet": "10.1.0.0/24", "umlaut": "ü\n\x00<&>"},
		},
		Entries: []Entry{
			{
				Seq: 1, Place: Place{Step: "one"}, Undo: undo, Done: true, Made: []Made{made("veth", 7), made("c-eth0", 6)},
				Op: op(`{"text":"ü \u003c\u0026\u003e \u0000 \n"}`), // the same in JSON
			},
			{Seq: 2, Place: Place{Step: "two"}, Op: op(`{}`), Done: true, Taken: undo},
			{Seq: 3, Place: Place{Step: "three"}, Op: op(`3`), Undo: undo[:1], Undone: true},
		},
		Steps: map[string]time.Time{"one": at(3)},
	}
	if diff := cmp.Diff(want, j.State); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(want.Entries[:2], j.Open()); diff != "" {
		t.Errorf("open (-want +got):\n%s", diff)
	}
}

func TestWhatTheJournalSaysIsAlwaysWhatItsFileSays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		d, j := create(t)
		for range 60 {
			step(t, rng, j, 700)
			sameOnDisk(t, d, j)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := d.Open("lab")
		if err != nil {
			t.Fatal(err)
		}
		step(t, rng, again, 700)
		sameOnDisk(t, d, again)
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatTheCallerWroteStaysTheCallers(t *testing.T) {
	t.Parallel()
	_, j := create(t)
	op := Op{Kind: "kind", Op: json.RawMessage(`{ "spaced" : 1 }`)}
	if _, err := j.Intend(Place{Step: "one"}, op, []Op{op}); err != nil {
		t.Fatal(err)
	}
	if got := string(op.Op); got != `{ "spaced" : 1 }` {
		t.Errorf("the caller's op is now %s", got)
	}
}

// Only what can follow is written; an error leaves the file as it was.
func TestARecordThatCannotFollowIsRefused(t *testing.T) {
	t.Parallel()
	_, j := create(t)
	for seq := 1; seq <= 2; seq++ {
		if _, err := j.Intend(Place{Step: "one"}, sized("do", 3), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(j.Done(1, nil), j.Undone(2), j.StepDone("one", at(1))); err != nil {
		t.Fatal(err)
	}
	before := contents(t, j.Path())
	for name, write := range map[string]func() error{
		"done twice":              func() error { return j.Done(1, nil) },
		"done after it is undone": func() error { return j.Done(2, nil) },
		"done, never announced":   func() error { return j.Done(3, nil) },
		"done, number 0":          func() error { return j.Done(0, nil) },
		"undone twice":            func() error { return j.Undone(2) },
		"undone, never announced": func() error { return j.Undone(3) },
		"undone, number 0":        func() error { return j.Undone(0) },
		"undone, number -1":       func() error { return j.Undone(-1) },
		"taken by an undone op":   func() error { return j.Take(2, "other", nil) },
		"taken by no op":          func() error { return j.Take(9, "other", nil) },
		"step done twice":         func() error { return j.StepDone("one", at(2)) },
		"step undone, not done":   func() error { return j.StepUndone("two", at(2)) },
		"an op that is no JSON": func() error {
			_, err := j.Intend(Place{Step: "one"}, Op{Kind: "kind", Op: json.RawMessage(`{`)}, nil)
			return err
		},
	} {
		if write() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if after := contents(t, j.Path()); !bytes.Equal(before, after) {
		t.Errorf("the file has changed:\n%s", after)
	}
}

func TestReloadSeesWhatAnotherProcessHasAdded(t *testing.T) {
	t.Parallel()
	d, j := create(t)
	if _, err := j.Intend(Place{Step: "one"}, sized("do", 3), nil); err != nil {
		t.Fatal(err)
	}
	other, err := d.Open("lab")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.Take(1, "other", []Op{sized("undo", 5)}); err != nil {
		t.Fatal(err)
	}
	if err := j.Done(1, nil); err != nil { // after the other's, not over it
		t.Fatal(err)
	}
	if len(j.Entries[0].Taken) != 0 {
		t.Error("it is there before Reload")
	}
	if err := j.Reload(); err != nil {
		t.Fatal(err)
	}
	sameOnDisk(t, d, j)
	if len(j.Entries[0].Taken) != 1 || !j.Entries[0].Done {
		t.Errorf("after Reload: %+v", j.Entries[0])
	}
	if err := os.WriteFile(j.Path(), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := j.Reload(); !errors.Is(err, ErrDamaged) {
		t.Errorf("Reload of a damaged file: %v", err)
	}
}

func TestRemoveDeletesTheJournal(t *testing.T) {
	t.Parallel()
	d, j := create(t)
	if err := j.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read("lab"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read: %v", err)
	}
	if err := j.Remove(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed twice: %v", err)
	}
	if err := j.Reload(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reload: %v", err)
	}
}
