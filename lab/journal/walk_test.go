package journal

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// at is a time as a clock in some time zone tells it.
func at(seconds int) time.Time {
	return time.Date(2024, 2, 29, 23, 59, seconds, 123456789, time.FixedZone("CET", 3600))
}

func create(t *testing.T) (Dir, *Journal) {
	t.Helper()
	d := At(t.TempDir())
	j, err := d.Create(Header{
		Lab: "lab", Scenario: "scenario", Created: at(0),
		Params: map[string]string{"subnet": "10.1.0.0/24", "umlaut": "ü\n\x00<&>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return d, j
}

// sized is an op whose JSON has n bytes.
func sized(kind string, n int) Op {
	return Op{Kind: kind, Op: json.RawMessage(`"` + strings.Repeat("x", max(n-2, 0)) + `"`)}
}

func made(name string, id int) Made {
	return Made{
		Ref: json.RawMessage(fmt.Sprintf(`{"kind":"link","name":%q}`, name)),
		ID:  json.RawMessage(fmt.Sprintf(`{"index":%d}`, id)),
	}
}

// step adds a random record that can follow.
func step(t *testing.T, rng *rand.Rand, j *Journal, size int) {
	t.Helper()
	var err error
	open := j.Open()
	switch n := rng.IntN(8); {
	case n < 3 || len(open) == 0:
		undo := make([]Op, rng.IntN(3))
		for i := range undo {
			undo[i] = sized("undo", rng.IntN(size))
		}
		_, err = j.Intend(Place{Step: fmt.Sprint("step-", rng.IntN(3))}, sized("do", rng.IntN(size)), undo)
	case n < 5:
		for _, e := range open {
			if !e.Done {
				err = j.Done(e.Seq, []Made{made("veth", e.Seq)}[:rng.IntN(2)])
				break
			}
		}
	case n == 5:
		err = j.Undone(open[rng.IntN(len(open))].Seq)
	case n == 6:
		err = j.Take(open[rng.IntN(len(open))].Seq, "other", []Op{sized("taken", rng.IntN(size))})
	default:
		id := fmt.Sprint("step-", rng.IntN(3))
		if _, done := j.Steps[id]; done {
			err = j.StepUndone(id, at(2))
		} else {
			err = j.StepDone(id, at(1))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// sameOnDisk fails the test unless a journal's file says what the journal says.
func sameOnDisk(t *testing.T, d Dir, j *Journal) {
	t.Helper()
	s, err := d.Read("lab")
	if err != nil {
		t.Fatal(err)
	}
	if diff := differ(j.State, *s); diff != "" {
		t.Fatalf("the file says something else (-journal +file):\n%s", diff)
	}
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// differ is cmp.Diff, which takes its time with bytes that are the same.
func differ(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}
