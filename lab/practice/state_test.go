package practice

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
)

func at(minutes int) time.Time { return time.Date(2026, 1, 2, 3, minutes, 0, 0, time.UTC) }

func begun(level Level) *State {
	s := New(level, "net:[1]", []string{"a", "b", "c"}, at(0))
	s.Take(lab.Verdict{Of: 2, Missing: &lab.Missing{Step: "a"}}, Look{Digest: "0", By: Own, Now: at(0)})
	return s
}

// missing is a verdict on that step, of which so much stands.
func missing(next, stand int, passed ...string) lab.Verdict {
	v := lab.Verdict{Next: next, Stand: stand, Of: 3, Missing: &lab.Missing{}}
	for _, id := range passed {
		v.Passed = append(v.Passed, lab.PassedStep{ID: id})
	}
	return v
}

func TestATryChangesSomethingAndBringsNothingNearer(t *testing.T) {
	s := begun(Solo)
	for i, tt := range []struct {
		digest string
		v      lab.Verdict
		news   News
		tries  []int
	}{
		{"0", missing(0, 0), News{}, []int{0, 0, 0}},                                            // a look at the state
		{"1", missing(0, 0), News{Changed: true, Vain: true}, []int{1, 0, 0}},                   // beside the point
		{"2", missing(0, 1), News{Changed: true, Nearer: true}, []int{1, 0, 0}},                 // a part of it
		{"3", missing(0, 0), News{Changed: true, Vain: true}, []int{2, 0, 0}},                   // and back
		{"4", missing(1, 0, "a"), News{Changed: true, Nearer: true}, []int{3, 0, 0}},            // done
		{"5", missing(0, 0), News{Changed: true, Vain: true}, []int{4, 0, 0}},                   // lost
		{"6", missing(1, 1), News{Changed: true, Nearer: true, Regained: true}, []int{4, 0, 0}}, // found
		{"7", lab.Verdict{Next: 3, Passed: []lab.PassedStep{{ID: "b"}, {ID: "c"}}}, News{Changed: true, Nearer: true, Proven: true}, []int{4, 1, 0}},
		{"8", lab.Verdict{Next: 3}, News{Changed: true}, []int{4, 1, 0}},
	} {
		if news := s.Take(tt.v, Look{Digest: tt.digest, By: Own, Now: at(i)}); news != tt.news {
			t.Errorf("look %d: %+v, want %+v", i, news, tt.news)
		}
		var tries []int
		for _, x := range s.Steps {
			tries = append(tries, x.Tries)
		}
		if diff := cmp.Diff(tt.tries, tries); diff != "" {
			t.Errorf("look %d: %s", i, diff)
		}
	}
	if h := s.Hardest(); h == nil || h.ID != "a" || h.Took() != 4*time.Minute || !s.Proven.Equal(at(7)) {
		t.Errorf("%+v", s)
	}
	if reached, own := s.Counts(); reached != 3 || own != 3 || s.Helped() {
		t.Errorf("%+v", s)
	}
}

// A change that has nothing to do with the step, or brings a later one nearer, is none.
func TestWhatIsBesideTheStepIsNoTry(t *testing.T) {
	s := begun(Solo)
	beside := func(id string) bool { return id == "a" }
	stands := func(next int, stands ...int) lab.Verdict {
		v := missing(next, 0)
		v.Stands = stands
		return v
	}
	for i, tt := range []struct {
		v      lab.Verdict
		beside func(string) bool
		tries  int
	}{
		{stands(0, 0, 0, 0), nil, 1},
		{stands(0, 0, 0, 0), beside, 1},
		{stands(0, 0, 0, 1), nil, 1}, // of a later step
		{stands(0, 0, 0, 1), nil, 2},
		{stands(0, 0, 0, 0), nil, 3}, // and back
	} {
		s.Take(tt.v, Look{Digest: string(rune('a' + i)), By: Own, Beside: tt.beside, Now: at(i)})
		if s.Steps[0].Tries != tt.tries {
			t.Errorf("look %d: tries %d, want %d", i, s.Steps[0].Tries, tt.tries)
		}
	}
}

// What stood before anybody had typed anything is not the learner's, nor is it help.
func TestWhatWasThereIsNobodysDoing(t *testing.T) {
	s := New(Solo, "net:[1]", []string{"a", "b", "c", "d"}, at(0))
	first := missing(0, 0)
	first.Stands = []int{0, 1, 1, 0}
	s.Take(first, Look{Digest: "0", Now: at(0)})
	v := lab.Verdict{Next: 4, Passed: []lab.PassedStep{{ID: "a"}, {ID: "b"}, {ID: "d"}}}
	s.Steps[2].Tries, s.Steps[2].Hints = 0, 1 // asked for beforehand
	v.Passed = append(v.Passed, lab.PassedStep{ID: "c"})
	s.Take(v, Look{Digest: "1", Now: at(1), Untouched: func(id string) bool { return id == "d" }})
	for i, want := range []By{Own, Found, Own, Found} {
		if s.Steps[i].By != want {
			t.Errorf("step %s by %q, want %q", s.Steps[i].ID, s.Steps[i].By, want)
		}
	}
	if reached, own := s.Counts(); reached != 4 || own != 2 || s.Helped() {
		t.Errorf("%+v", s.Steps)
	}
}

func TestWhatWasShownOrDoneForTheLearnerIsNotTheirs(t *testing.T) {
	s := begun(Solo)
	s.Take(missing(1, 0, "a"), Look{Digest: "1", By: Skipped, Now: at(1)})
	s.Show()
	s.Take(lab.Verdict{Next: 3, Passed: []lab.PassedStep{{ID: "b"}, {ID: "c"}}}, Look{Digest: "2", By: Own, Now: at(2)})
	for i, want := range []By{Skipped, Solution, Solution} {
		if s.Steps[i].By != want {
			t.Errorf("step %d by %q, want %q", i, s.Steps[i].By, want)
		}
	}
	if reached, own := s.Counts(); reached != 3 || own != 0 || !s.Helped() {
		t.Errorf("%+v", s)
	}
	if s.Steps[0].Tries != 0 || s.Steps[1].Tries != 1 {
		t.Errorf("%+v", s.Steps)
	}
	w := begun(Watch)
	w.Take(missing(1, 0, "a"), Look{Digest: "1", By: Own, Now: at(1)})
	if w.Steps[0].By != Watched || !w.Helped() {
		t.Errorf("%+v", w.Steps)
	}
}

func TestHintsGoFromTheStepToWhatIsMissing(t *testing.T) {
	s := begun(Solo)
	var got []int
	for _, lacks := range []string{"x", "x", "y", "y", "y", "y", "y", "x"} {
		got = append(got, s.Ask(lacks, 4))
	}
	if diff := cmp.Diff([]int{0, 1, 1, 2, 3, 3, 3, 1}, got); diff != "" {
		t.Error(diff)
	}
	if s.Steps[0].Hints != 6 {
		t.Errorf("%d hints", s.Steps[0].Hints)
	}
}

func TestAStateIsKept(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "x.json")
	if _, err := Load(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
	s := begun(Fill)
	s.Take(missing(1, 0, "a"), Look{Digest: "1", By: Own, Now: at(1)})
	if err := s.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path)
	if diff := cmp.Diff(s, again); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if err := os.WriteFile(path, []byte(`{"netlab_practice":2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); !errors.Is(err, ErrVersion) {
		t.Errorf("of a newer one: %v", err)
	}
}

func TestABreakIsInNoStepsTime(t *testing.T) {
	s := begun(Solo)
	s.Take(missing(1, 0, "a"), Look{Digest: "1", By: Own, Now: at(1)})
	s.Resume(at(51))
	s.Take(lab.Verdict{Next: 3, Passed: []lab.PassedStep{{ID: "b"}, {ID: "c"}}}, Look{Digest: "2", By: Own, Now: at(53)})
	if a, b := s.Steps[0].Took(), s.Steps[1].Took(); a != time.Minute || b != 2*time.Minute {
		t.Errorf("the steps took %v and %v", a, b)
	}
	if s.Took() != 3*time.Minute || s.Away != 50*time.Minute {
		t.Errorf("it took %v, with a break of %v", s.Took(), s.Away)
	}
}

func TestAStepWhoseCommandsWereInViewIsNotTheLearnersWhateverTheLevelLater(t *testing.T) {
	s := begun(Watch)
	s.Level = Solo
	s.Take(missing(1, 0, "a"), Look{Digest: "1", By: Own, Now: at(1)})
	s.Take(missing(2, 0, "b"), Look{Digest: "2", By: Own, Now: at(2)})
	if s.Steps[0].By != Watched || s.Steps[1].By != Own {
		t.Errorf("%+v", s.Steps)
	}
}
