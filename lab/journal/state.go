package journal

import (
	"bytes"
	"fmt"
	"unique"
)

// check tells whether a record can follow what the journal says: nothing is done
// or undone twice, or done after it was undone.
func (s *State) check(l line) error {
	var errs []error
	if l.Intent != nil {
		var err error
		if l.Intent.Seq != len(s.Entries)+1 {
			err = fmt.Errorf("op %d follows op %d", l.Intent.Seq, len(s.Entries))
		}
		errs = append(errs, err)
	}
	if l.Done != nil {
		err := s.open(l.Done.Seq)
		if err == nil && s.Entries[l.Done.Seq-1].Done {
			err = fmt.Errorf("op %d is done already", l.Done.Seq)
		}
		errs = append(errs, err)
	}
	if l.Undone != 0 {
		errs = append(errs, s.open(l.Undone))
	}
	if l.Take != nil {
		errs = append(errs, s.open(l.Take.Seq))
	}
	if l.Step != nil {
		var err error
		if _, done := s.Steps[l.Step.ID]; done == l.Step.Done {
			err = fmt.Errorf("step %q: done is %t already", l.Step.ID, done)
		}
		errs = append(errs, err)
	}
	if len(errs) != 1 {
		return fmt.Errorf("it says %d things, not one", len(errs))
	}
	return errs[0]
}

// open tells whether an op was announced and is not undone.
func (s *State) open(seq int) error {
	if seq < 1 || seq > len(s.Entries) {
		return fmt.Errorf("there is no op %d", seq)
	}
	if s.Entries[seq-1].Undone {
		return fmt.Errorf("op %d is undone already", seq)
	}
	return nil
}

// add takes in a record that was checked.
func (s *State) add(l line) {
	switch {
	case l.Intent != nil:
		e := Entry{Seq: l.Intent.Seq, Place: l.Intent.Place, Op: l.Intent.Op, Undo: l.Intent.Undo}
		e.share()
		s.Entries = append(s.Entries, e)
	case l.Done != nil:
		e := &s.Entries[l.Done.Seq-1]
		e.Done, e.Made = true, l.Done.Made
	case l.Undone != 0:
		s.Entries[l.Undone-1].Undone = true
	case l.Take != nil:
		e := &s.Entries[l.Take.Seq-1]
		e.Taken = append(e.Taken, l.Take.Undo...)
	case l.Step.Done:
		s.Steps[l.Step.ID] = l.Step.At
	default:
		delete(s.Steps, l.Step.ID)
	}
}

// share has what is said often stand in memory once: a lab may have thousands of pods.
func (e *Entry) share() {
	e.Step, e.Group = unique.Make(e.Step).Value(), unique.Make(e.Group).Value()
	e.Op.Kind = unique.Make(e.Op.Kind).Value()
	for i := range e.Undo {
		e.Undo[i].Kind = unique.Make(e.Undo[i].Kind).Value()
		if bytes.Equal(e.Undo[i].Op, e.Op.Op) { // what deletes a thing says the same as what adds it
			e.Undo[i].Op = e.Op.Op
		}
	}
}
