package journal

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// snapshot copies what a journal says, as far as records can change it.
func snapshot(s State) State {
	s.Entries = slices.Clone(s.Entries)
	s.Steps = maps.Clone(s.Steps)
	return s
}

func TestAFileCutShortSaysWhatItSaidBeforeOrIsDamaged(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 4))
	_, j := create(t)
	size := func() int { return len(contents(t, j.Path())) }
	states := map[int]State{size(): snapshot(j.State)}
	for size() < pageSize+500 { // so that there is padding too
		step(t, rng, j, 600)
		states[size()] = snapshot(j.State)
	}
	data := contents(t, j.Path())
	if !bytes.Contains(data, []byte(" \n")) {
		t.Error("no padding")
	}
	last := State{}
	for n := range len(data) + 1 {
		if s, ok := states[n]; ok {
			last = s
		}
		got, whole, err := parse(data[:n])
		atEnd := n > 0 && data[n-1] == '\n'
		switch {
		case err == nil && !atEnd:
			t.Fatalf("cut to %d bytes, in the middle of a line: no error", n)
		case err != nil && (atEnd || !errors.Is(err, ErrDamaged)):
			t.Fatalf("cut to %d bytes: %v", n, err)
		case err == nil && whole != n, whole > n, whole > 0 && data[whole-1] != '\n':
			t.Fatalf("cut to %d bytes: %d are said to be whole", n, whole)
		}
		if last.Steps == nil { // the header is not whole yet
			last.Steps = got.Steps
		}
		if diff := differ(last, *got); diff != "" {
			t.Fatalf("cut to %d bytes (-want +got):\n%s", n, diff)
		}
	}
}

// shape is what a State says but for texts: those a flipped bit can change.
func shape(s *State) string {
	text := fmt.Sprint(len(s.Steps))
	for _, e := range s.Entries {
		text += fmt.Sprintln(e.Seq, len(e.Undo), len(e.Taken), len(e.Made), e.Done, e.Undone)
	}
	return text
}

// There is no checksum: texts may change. But no flipped bit leaves an op out,
// counts it twice, or takes one for another.
func TestAFlippedBitDoesNotChangeTheSequence(t *testing.T) {
	t.Parallel()
	d, j := create(t)
	for seq := 1; seq <= 2; seq++ {
		id := fmt.Sprint("step-", seq)
		if _, err := j.Intend(Place{Step: id}, sized("do", 9), []Op{sized("undo", 9), sized("undo", 5)}); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(j.Done(seq, []Made{made("veth", seq)}), j.StepDone(id, at(seq))); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(
		j.Take(2, "other", []Op{sized("undo", 7)}),
		j.StepUndone("step-2", at(3)), j.Undone(2), j.StepUndone("step-1", at(4)), j.Undone(1),
	); err != nil {
		t.Fatal(err)
	}
	sameOnDisk(t, d, j)
	data, want := contents(t, j.Path()), shape(&j.State)
	accepted := 0
	for i := range data {
		for bit := range 8 {
			flipped := slices.Clone(data)
			flipped[i] ^= 1 << bit
			s, _, err := parse(flipped)
			if err != nil {
				if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
					t.Errorf("bit %d of byte %d: %v", bit, i, err)
				}
				continue
			}
			accepted++
			if got := shape(s); got != want {
				line := bytes.Split(flipped, []byte("\n"))[bytes.Count(data[:i], []byte("\n"))]
				t.Errorf("bit %d of byte %d, in %s\nsays\n%s\nnot\n%s", bit, i, line, got, want)
			}
		}
	}
	t.Logf("%d of %d flips were accepted", accepted, len(data)*8)
}

func TestAHeaderThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	const good = `{"netlab_journal":1,"lab":"lab","scenario":"s","params":null,"created":"2024-02-29T23:59:00Z"}`
	for _, tt := range []struct {
		name, text string
		want       error
	}{
		{"whole", good + "\n", nil},
		{"without what may be missing", `{"netlab_journal":1,"lab":"lab","scenario":"s"}` + "\n", nil},
		{"an empty file", "", ErrDamaged},
		{"a newline", "\n", ErrDamaged},
		{"no newline", good, ErrDamaged},
		{"not JSON", "hello\n", ErrDamaged},
		{"JSON null", "null\n", ErrDamaged},
		{"an empty object", "{}\n", ErrDamaged},
		{"two values", good + " {}\n", ErrDamaged},
		{"version 0", `{"netlab_journal":0,"lab":"lab","scenario":"s"}` + "\n", ErrDamaged},
		{"version -1", `{"netlab_journal":-1,"lab":"lab","scenario":"s"}` + "\n", ErrDamaged},
		{"a text as version", `{"netlab_journal":"1","lab":"lab","scenario":"s"}` + "\n", ErrDamaged},
		{"a newer version", `{"netlab_journal":3,"lab":"lab","scenario":"s"}` + "\n", ErrNewer},
		{"a newer version with other fields", `{"netlab_journal":9,"lab":["a","b"],"x":1}` + "\n", ErrNewer},
		{"no lab", `{"netlab_journal":1,"scenario":"s"}` + "\n", ErrDamaged},
		{"no scenario", `{"netlab_journal":1,"lab":"lab"}` + "\n", ErrDamaged},
		{"an unknown field", `{"netlab_journal":1,"lab":"lab","scenario":"s","qarams":{}}` + "\n", ErrDamaged},
		{"another lab's name", `{"netlab_journal":1,"lab":"other","scenario":"s"}` + "\n", ErrDamaged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := At(t.TempDir())
			if err := os.WriteFile(d.Path("lab"), []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := d.Read("lab")
			if !errors.Is(err, tt.want) {
				t.Errorf("read: %v", err)
			}
			j, err := d.Open("lab")
			if !errors.Is(err, tt.want) {
				t.Errorf("open: %v", err)
			}
			if err == nil {
				err = j.Close()
			}
			if tt.want != nil {
				if _, err = d.Salvage("lab"); !errors.Is(err, tt.want) {
					t.Errorf("salvage: %v", err)
				}
				onlyFiles(t, d.path, "lab.jsonl")
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestALineThatIsNoRecordIsRefused(t *testing.T) {
	t.Parallel()
	const start = `{"netlab_journal":1,"lab":"lab","scenario":"s"}` + "\n" +
		`{"intent":{"seq":1,"step":"one","op":{"kind":"do","op":{}}}}` + "\n" + "    \n"
	if _, _, err := parse([]byte(start)); err != nil {
		t.Fatal(err)
	}
	for name, line := range map[string]string{
		"not JSON":            `hello`,
		"nothing":             `{}`,
		"null":                `null`,
		"a list":              `[]`,
		"an unknown field":    `{"undoen":1}`,
		"an unknown field in": `{"done":{"seq":1,"mode":[]}}`,
		"two records":         `{"undone":1}{"undone":1}`,
		"two things":          `{"done":{"seq":1},"undone":1}`,
		"a header":            `{"netlab_journal":1,"lab":"lab","scenario":"s"}`,
		"an op left out":      `{"intent":{"seq":3,"step":"one","op":{"kind":"do","op":{}}}}`,
		"an op twice":         `{"intent":{"seq":1,"step":"one","op":{"kind":"do","op":{}}}}`,
		"done out of nowhere": `{"done":{"seq":2}}`,
		"a number too large":  `{"undone":99999999999999999999}`,
		"step never done":     `{"step":{"id":"one","done":false,"at":"2024-02-29T23:59:00Z"}}`,
	} {
		s, whole, err := parse([]byte(start + line + "\n"))
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if whole != len(start) || len(s.Entries) != 1 {
			t.Errorf("%s: %d bytes are whole, with %d entries", name, whole, len(s.Entries))
		}
	}
}
