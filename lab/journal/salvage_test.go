package journal

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"testing"
)

func TestSalvageKeepsWhatStandsBeforeTheDamage(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 5))
	d, j := create(t)
	for range 40 {
		step(t, rng, j, 300)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	whole := contents(t, j.Path())
	damages := map[string][]byte{
		"cut short": whole[:len(whole)*2/3],
		"in a line": bytes.Replace(whole, []byte(`"undone":`), []byte(`"undoen":`), 1),
		"one added": append(bytes.Clone(whole), "{}\n"...),
	}
	for name, data := range damages {
		if err := os.WriteFile(j.Path(), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Open("lab"); !errors.Is(err, ErrDamaged) {
			t.Fatalf("%s: open: %v", name, err)
		}
		before, err := d.Read("lab")
		if !errors.Is(err, ErrDamaged) {
			t.Fatalf("%s: read: %v", name, err)
		}
		saved, err := d.Salvage("lab")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := differ(*before, saved.State); diff != "" || len(saved.Entries) == 0 {
			t.Errorf("%s: kept (-before the damage +kept):\n%s", name, diff)
		}
		if !bytes.Equal(contents(t, j.Path()+".damaged"), data) {
			t.Errorf("%s: the file set aside is not the damaged one", name)
		}
		onlyFiles(t, d.path, "lab.jsonl", "lab.jsonl.damaged")
		step(t, rng, saved, 300)
		sameOnDisk(t, d, saved)
		if err := saved.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSalvageOfAWholeJournalOpensIt(t *testing.T) {
	t.Parallel()
	d, j := create(t)
	same, err := d.Salvage("lab")
	if err != nil {
		t.Fatal(err)
	}
	if diff := differ(j.State, same.State); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := same.Close(); err != nil {
		t.Fatal(err)
	}
	onlyFiles(t, d.path, "lab.jsonl")
}

// A file that was copied says what another lab did: never this one's to undo.
func TestSalvageDoesNotTouchAnotherLabsJournal(t *testing.T) {
	t.Parallel()
	d, j := create(t)
	copied := append(contents(t, j.Path()), "damage"...)
	if err := os.WriteFile(d.Path("copy"), copied, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Salvage("copy"); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
	onlyFiles(t, d.path, "copy.jsonl", "lab.jsonl")
	sameOnDisk(t, d, j)
}
