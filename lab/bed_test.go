package lab_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
)

// bed is where a test runs labs: one world, one directory of journals, and the
// events of all that was run since they were last looked at.
type bed struct {
	t      *testing.T
	w      *world
	dir    journal.Dir
	k      *kernel.Kernel
	ctx    context.Context
	stop   context.CancelFunc
	events []lab.Event
	now    time.Time
}

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{
		t: t, w: newWorld(), dir: journal.At(t.TempDir()), k: kernel.Open(),
		now: time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC),
	}
	b.ctx, b.stop = context.WithCancel(t.Context())
	t.Cleanup(func() {
		if err := b.k.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bed) runner() *lab.Runner {
	return &lab.Runner{
		Kernel: b.k, Codec: b.w, Dir: b.dir, Machine: "host",
		Now:  func() time.Time { b.now = b.now.Add(time.Second); return b.now },
		Emit: func(e lab.Event) { b.events = append(b.events, e) },
	}
}

// journal opens a lab's journal, or begins one.
func (b *bed) journal(name string) *journal.Journal {
	b.t.Helper()
	j, err := b.dir.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		j, err = b.dir.Create(journal.Header{Lab: name, Scenario: "scenario", Created: b.now})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = j.Close() })
	return j
}

func (b *bed) run(name string, steps []lab.Step, o lab.Options) error {
	b.t.Helper()
	return b.runner().Run(b.ctx, lab.Plan{Lab: name, Scenario: "scenario", Steps: steps}, b.journal(name), o)
}

// up runs a lab, which must succeed.
func (b *bed) up(name string, steps ...lab.Step) {
	b.t.Helper()
	if err := b.run(name, steps, lab.Options{}); err != nil {
		b.t.Fatalf("run %s: %v", name, err)
	}
	b.events = nil
}

func (b *bed) teardown(name string) error {
	b.t.Helper()
	return b.runner().Teardown(b.ctx, b.journal(name))
}

// down tears a lab down, which must succeed.
func (b *bed) down(name string) {
	b.t.Helper()
	if err := b.teardown(name); err != nil {
		b.t.Fatalf("teardown of %s: %v", name, err)
	}
	if _, err := b.dir.Read(name); !errors.Is(err, fs.ErrNotExist) {
		b.t.Errorf("the journal of %s is still there: %v", name, err)
	}
}

// said is the events since the last call, a line each.
func (b *bed) said() []string {
	var lines []string
	for _, e := range b.events {
		words := []string{string(e.Type), e.Step, string(e.Phase), e.ID, e.Command, e.Outcome, strings.ReplaceAll(e.Error, "\n", " | ")}
		if e.Holds != nil && e.Type == lab.CheckDone {
			words = append(words, map[bool]string{true: "✓", false: "✗"}[*e.Holds])
		}
		words = append(words, e.Values["found"])
		words = append(words, e.Values["why"])
		lines = append(lines, strings.Join(strings.Fields(strings.Join(words, " ")), " "))
	}
	b.events = nil
	return lines
}

// says fails the test unless the events since the last look are these.
func (b *bed) says(want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.said()); diff != "" {
		b.t.Errorf("events (-want +got):\n%s", diff)
	}
}

// has fails the test unless the world has these values, as key value pairs.
func (b *bed) has(pairs ...string) {
	b.t.Helper()
	want := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		want[pairs[i]] = pairs[i+1]
	}
	if diff := cmp.Diff(want, b.w.values); diff != "" {
		b.t.Errorf("the world (-want +got):\n%s", diff)
	}
}

// noted is what the journal says: an op a word, with !: announced only, or x:
// undone; then the steps that are done.
func (b *bed) noted(name string) string {
	b.t.Helper()
	s, err := b.dir.Read(name)
	if err != nil {
		b.t.Fatal(err)
	}
	var words []string
	for _, e := range s.Entries {
		o, err := b.w.Decode(e.Op.Kind, e.Op.Op)
		word := e.Op.Kind
		if err == nil {
			word = strings.Join(o.Command()[1:], "=")
		}
		switch {
		case e.Undone:
			word += "x"
		case !e.Done:
			word += "!"
		}
		words = append(words, word)
	}
	words = append(words, ":")
	for _, e := range s.Entries {
		if _, done := s.Steps[e.Step]; done && words[len(words)-1] != e.Step {
			words = append(words, e.Step)
		}
	}
	return strings.Join(words, " ")
}

// probe is a check that a key has a value.
type probe struct {
	w         *world
	Key, Want string
}

func (p probe) Command() lab.Command { return lab.Command{"get", p.Key} }

func (p probe) Try(ctx context.Context, _ *kernel.Kernel, patience time.Duration) (lab.Observation, error) {
	if patience <= 0 {
		return lab.Observation{}, errors.New("no patience at all")
	}
	if err := p.w.before(p.Command()); err != nil {
		return lab.Observation{}, err
	}
	if ctx.Err() != nil {
		return lab.Observation{}, ctx.Err()
	}
	found := p.w.get(p.Key)
	if found == p.Want {
		return lab.Observation{Holds: true, Outcome: "same"}, nil
	}
	return lab.Observation{Outcome: "differs", Values: map[string]string{"found": found}}, nil
}

type (
	journalOp    = journal.Op
	journalPlace = journal.Place
)

func encoded(t *testing.T, o lab.Op) journalOp {
	t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return journal.Op{Kind: o.Kind(), Op: data}
}
