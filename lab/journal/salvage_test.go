package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSalvageKeepsEveryRecordThatHasAMeaning(t *testing.T) {
	t.Parallel()
	const (
		header = `{"netlab_journal":2,"lab":"lab","scenario":"s","params":null,"created":"2024-02-29T23:59:00Z"`
		aside  = `,"lost":%d,"aside":"%s"`
		one    = `{"intent":{"seq":1,"step":"a","op":{"kind":"do","op":1},"undo":[{"kind":"undo","op":1}]}}`
		oneIs  = `{"done":{"seq":1,"made":[{"ref":1,"id":11}]}}`
		two    = `{"intent":{"seq":2,"step":"a","op":{"kind":"do","op":2}}}`
		twoIs  = `{"done":{"seq":2}}`
		step   = `{"step":{"id":"a","done":true,"at":"2024-02-29T23:59:00Z"}}`
		three  = `{"intent":{"seq":3,"step":"b","op":{"kind":"do","op":3}}}`
		takes  = `{"take":{"seq":3,"from":"other","undo":[{"kind":"undo","op":7}]}}`
		twoNot = `{"undone":2}`
	)
	renumbered := strings.NewReplacer(`"seq":2`, `"seq":1`, `"seq":3`, `"seq":2`, `"undone":2`, `"undone":1`)
	for _, tt := range []struct {
		name string
		text string // behind the header
		lost int
		kept []string
	}{
		{"cut short", lines(one, oneIs) + two[:20], 1, []string{one, oneIs}},
		{"an op is lost", lines(one[:9], oneIs, two, twoIs, step, three, takes), 2, // its end, too
			[]string{renumbered.Replace(two), renumbered.Replace(twoIs), step, renumbered.Replace(three), renumbered.Replace(takes)}},
		{"what an op has made is lost", lines(one, "", "x", two, twoIs, three, twoNot), 1, []string{one, two, twoIs, three, twoNot}},
		{"a line is there twice", lines(one, one, oneIs, oneIs), 2, []string{one, oneIs}},
		{"the last op but one is lost", lines(one, oneIs, "#"+two, twoIs, three, twoNot), 3, []string{one, oneIs, strings.Replace(three, "3", "2", 1)}},
		{"padding", lines(one, "      ", oneIs, "{}"), 1, []string{one, oneIs}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := At(t.TempDir())
			damaged := header + "}\n" + tt.text
			if err := os.WriteFile(d.Path("lab"), []byte(damaged), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{".damaged", ".damaged-2"} { // and once more
				if _, err := d.Open("lab"); !errors.Is(err, ErrDamaged) {
					t.Fatalf("open: %v", err)
				}
				j, err := d.Salvage("lab")
				if err != nil {
					t.Fatal(err)
				}
				sameOnDisk(t, d, j)
				want := header + fmt.Sprintf(aside, tt.lost, d.Path("lab")+file) + "}\n" + lines(tt.kept...)
				if diff := cmp.Diff(want, string(contents(t, d.Path("lab")))); diff != "" {
					t.Errorf("kept (-want +got):\n%s", diff)
				}
				if got := contents(t, d.Path("lab")+file); string(got) != damaged {
					t.Errorf("the file set aside is not the damaged one:\n%s", got)
				}
				err = errors.Join(j.Remove(), j.Close(), os.WriteFile(d.Path("lab"), []byte(damaged), 0o600))
				if err != nil {
					t.Fatal(err)
				}
			}
			files, err := d.Aside()
			want := map[string]string{d.Path("lab") + ".damaged": "lab", d.Path("lab") + ".damaged-2": "lab"}
			if diff := cmp.Diff(want, files); diff != "" || err != nil {
				t.Errorf("set aside: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func lines(all ...string) string { return strings.Join(all, "\n") + "\n" }

// A file that is cut short loses no whole record.
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
	if err := os.WriteFile(j.Path(), whole[:len(whole)*2/3], 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := d.Read("lab")
	if !errors.Is(err, ErrDamaged) {
		t.Fatalf("read: %v", err)
	}
	saved, err := d.Salvage("lab")
	if err != nil {
		t.Fatal(err)
	}
	before.Header.Lost, before.Header.Aside = 1, j.Path()+".damaged"
	if diff := differ(*before, saved.State); diff != "" || len(saved.Entries) == 0 {
		t.Errorf("kept (-before the damage +kept):\n%s", diff)
	}
	onlyFiles(t, d.path, "lab.jsonl", "lab.jsonl.damaged")
	step(t, rng, saved, 300)
	sameOnDisk(t, d, saved)
	if err := saved.Close(); err != nil {
		t.Fatal(err)
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
