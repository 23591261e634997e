package progress

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func store(t *testing.T) Store {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return At(filepath.Join(dir, "a", "b", "progress.json"))
}

func TestOfFollowsTheXDGSpecification(t *testing.T) {
	for _, tt := range []struct {
		environ []string
		want    string
		err     error
	}{
		{[]string{"HOME=/home/u"}, "/home/u/.local/state/netlab/progress.json", nil},
		{[]string{"HOME=/home/u", "XDG_STATE_HOME=/s"}, "/s/netlab/progress.json", nil},
		{[]string{"HOME=/home/u", "XDG_STATE_HOME=relative"}, "/home/u/.local/state/netlab/progress.json", nil},
		{[]string{"HOME=/a", "HOME=/b"}, "/b/.local/state/netlab/progress.json", nil},
		{nil, "", ErrNoHome},
	} {
		s, err := Of(tt.environ)
		if s.Path() != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%v: %q, %v, want %q", tt.environ, s.Path(), err, tt.want)
		}
	}
}

func TestSolvedIsTheFirstAttemptWonWithoutTheSolution(t *testing.T) {
	t.Parallel()
	s, at := store(t), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if r, err := s.Record(Challenge, "x"); err != nil || r.Attempts != 0 {
		t.Errorf("of nothing: %+v, %v", r, err)
	}
	for i, attempt := range []struct {
		shown bool
		tries int
	}{{true, 1}, {false, 2}, {false, 3}} {
		_, err := s.Update(Challenge, "x", func(r *Record) {
			r.Begin(at.Add(time.Duration(i)*time.Hour), "")
			r.Last.Tries, r.Last.Shown = attempt.tries, attempt.shown
			r.Win(r.Last.Begun.Add(time.Minute))
			r.Win(r.Last.Begun.Add(time.Hour)) // again
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Record(Challenge, "x")
	if err != nil || r.Attempts != 3 || r.Last.Tries != 3 || r.Solved == nil || r.Solved.Tries != 2 || r.Solved.Took() != time.Minute {
		t.Errorf("%+v, %v", r, err)
	}
}

// Where the file was lost meanwhile, or is of another attempt, it takes over all the same.
func TestFollowTakesOverAnAttempt(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	open := Attempt{Begun: at, Tries: 2, Hints: 1}
	shown, won := open, open
	shown.Won, shown.Shown, won.Won = &at, true, &at
	for _, tt := range []struct {
		was     Record
		attempt Attempt
		want    Record
	}{
		{Record{}, open, Record{Attempts: 1, Last: open}},
		{Record{Attempts: 3, Last: won}, open, Record{Attempts: 3, Last: open}},
		{Record{}, shown, Record{Attempts: 1, Last: shown}},
		{Record{}, won, Record{Attempts: 1, Last: won, Solved: &won}},
		{Record{Attempts: 2, Solved: &open}, won, Record{Attempts: 2, Last: won, Solved: &open}},
	} {
		r := tt.was
		r.Follow(tt.attempt)
		if diff := cmp.Diff(tt.want, r); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.attempt, diff)
		}
	}
}

// Several netlabs may be at work for one user.
func TestUpdatesAtOnceAreAllKept(t *testing.T) {
	t.Parallel()
	s := store(t)
	var all sync.WaitGroup
	const names, tries = 4, 10
	for i := range names {
		all.Go(func() {
			for range tries {
				if _, err := s.Update(Practice, strconv.Itoa(i%2), func(r *Record) { r.Last.Tries++ }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	records, err := s.Records()
	if err != nil || len(records) != 2 || records[0].Last.Tries != 2*tries || records[1].Last.Tries != 2*tries {
		t.Errorf("%+v, %v", records, err)
	}
}

func TestAFileThatCanNotBeReadIsLeftAlone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		`{"netlab_progress": 2}`: ErrNewer,
		`{"records": []}`:        ErrDamaged,
		`{`:                      ErrDamaged,
		``:                       ErrDamaged,
	} {
		s := store(t)
		if err := errors.Join(os.MkdirAll(filepath.Dir(s.Path()), 0o755), os.WriteFile(s.Path(), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		_, err := s.Update(Practice, "x", func(*Record) { t.Error("a change was made") })
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
		if after, _ := os.ReadFile(s.Path()); !cmp.Equal(string(after), text) {
			t.Errorf("%q became %q", text, after)
		}
	}
}
