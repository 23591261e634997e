package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

var (
	// ErrDamaged: the file does not say what a journal must say. Nothing is
	// guessed, and nothing deleted.
	ErrDamaged = errors.New("damaged journal")
	// ErrNewer: the file was written by a later version of netlab.
	ErrNewer = errors.New("journal of a newer netlab")
)

// State is what a journal says.
type State struct {
	Header  Header
	Entries []Entry              // in the order they were announced
	Steps   map[string]time.Time // the steps that are done, and since when
}

// parse reads a whole journal. With an error it returns what could be read
// before it: a State with an empty Header when not even that.
func parse(data []byte) (*State, error) {
	s := &State{Steps: map[string]time.Time{}}
	lines := bytes.SplitAfter(data, []byte("\n"))
	first, rest := lines[0], lines[1:]
	if err := s.header(first); err != nil {
		return s, err
	}
	for i, text := range rest {
		if len(text) == 0 {
			break // after the final newline
		}
		if !bytes.HasSuffix(text, []byte("\n")) {
			return s, fmt.Errorf("line %d is cut short: %w", i+2, ErrDamaged)
		}
		text = bytes.TrimSpace(text)
		if len(text) == 0 {
			continue // padding
		}
		if err := s.line(text); err != nil {
			return s, fmt.Errorf("line %d: %w: %w", i+2, err, ErrDamaged)
		}
	}
	return s, nil
}

func (s *State) header(text []byte) error {
	var h Header
	if err := json.Unmarshal(text, &h); err != nil || h.Version < 1 {
		return fmt.Errorf("line 1 is no header: %w", ErrDamaged)
	}
	if h.Version > Version {
		return fmt.Errorf("its version is %d, known are versions up to %d: %w", h.Version, Version, ErrNewer)
	}
	if h.Lab == "" || h.Scenario == "" || !bytes.HasSuffix(text, []byte("\n")) {
		return fmt.Errorf("line 1 is no whole header: %w", ErrDamaged)
	}
	s.Header = h
	return nil
}

func (s *State) line(text []byte) error {
	var l line
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&l); err != nil {
		return fmt.Errorf("not a record: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one record")
	}
	switch {
	case l.Intent != nil:
		if l.Intent.Seq != len(s.Entries)+1 {
			return fmt.Errorf("op %d follows op %d", l.Intent.Seq, len(s.Entries))
		}
		s.Entries = append(s.Entries, Entry{
			Seq: l.Intent.Seq, Step: l.Intent.Step, Op: l.Intent.Op, Undo: l.Intent.Undo,
		})
		return nil
	case l.Done != nil:
		e, err := s.entry(l.Done.Seq)
		if err == nil {
			e.Done, e.Made = true, l.Done.Made
		}
		return err
	case l.Undone != 0:
		e, err := s.entry(l.Undone)
		if err == nil {
			e.Undone = true
		}
		return err
	case l.Take != nil:
		e, err := s.entry(l.Take.Seq)
		if err == nil {
			e.Taken = append(e.Taken, l.Take.Undo...)
		}
		return err
	case l.Step != nil && l.Step.Done:
		s.Steps[l.Step.ID] = l.Step.At
		return nil
	case l.Step != nil:
		delete(s.Steps, l.Step.ID)
		return nil
	}
	return errors.New("an empty record")
}

func (s *State) entry(seq int) (*Entry, error) {
	if seq < 1 || seq > len(s.Entries) {
		return nil, fmt.Errorf("there is no op %d", seq)
	}
	return &s.Entries[seq-1], nil
}

// Open lists the entries that are not undone, oldest first.
func (s *State) Open() []Entry {
	var open []Entry
	for _, e := range s.Entries {
		if !e.Undone {
			open = append(open, e)
		}
	}
	return open
}
