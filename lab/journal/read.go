package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
// before it, a State with an empty Header when not even that, and the length of
// the text that said so.
func parse(data []byte) (s *State, whole int, err error) {
	s = &State{Steps: map[string]time.Time{}}
	whole, err = s.records(data, s.header)
	return s, whole, err
}

// records takes in lines, the first by first, and returns the length of those that it
// could.
func (s *State) records(data []byte, first func(text []byte) error) (whole int, err error) {
	i := -1
	for texts := range batches(data, first != nil) {
		decoded := decodeAll(texts)
		for n, text := range texts {
			i++
			switch {
			case i == 0 && first != nil:
				err = first(text)
			case len(text) == 0: // after the final newline
			case !bytes.HasSuffix(text, []byte("\n")):
				err = fmt.Errorf("line %d is cut short: %w", i+1, ErrDamaged)
			case len(bytes.TrimSpace(text)) == 0: // padding
			default:
				if err = s.line(decoded[n]); err != nil {
					err = fmt.Errorf("line %d: %w: %w", i+1, err, ErrDamaged)
				}
			}
			if err != nil {
				return whole, err
			}
			whole += len(text)
		}
	}
	return whole, nil
}

// header reads the version before all else: what a later one means by the other
// fields is not for us to say.
func (s *State) header(text []byte) error {
	var v struct {
		Version int `json:"netlab_journal"`
	}
	if err := json.Unmarshal(text, &v); err != nil || v.Version < 1 {
		return fmt.Errorf("line 1 is no header: %w", ErrDamaged)
	}
	if v.Version > Version {
		return fmt.Errorf("its version is %d, known are versions up to %d: %w", v.Version, Version, ErrNewer)
	}
	var h Header
	if err := decode(text, &h); err != nil || h.Lab == "" || h.Scenario == "" || !bytes.HasSuffix(text, []byte("\n")) {
		return fmt.Errorf("line 1 is no whole header: %w", ErrDamaged)
	}
	s.Header = h
	return nil
}

// line takes in one record.
func (s *State) line(d decoded) error {
	if d.err != nil {
		return fmt.Errorf("not a record: %w", d.err)
	}
	if err := s.check(d.line); err != nil {
		return err
	}
	s.add(d.line)
	return nil
}

// decode reads text that is one JSON value and has no field we don't know.
func decode(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if len(bytes.TrimSpace(text[dec.InputOffset():])) > 0 {
		return errors.New("something follows it")
	}
	return nil
}

// OpenSeqs are the numbers of the entries that are not undone, oldest first.
func (s *State) OpenSeqs() []int {
	var open []int
	for _, e := range s.Entries {
		if !e.Undone {
			open = append(open, e.Seq)
		}
	}
	return open
}

// Begun tells whether anything of a step is not undone.
func (s *State) Begun(step string) bool {
	for i := range s.Entries {
		if e := &s.Entries[i]; e.Step == step && !e.Undone {
			return true
		}
	}
	return false
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
