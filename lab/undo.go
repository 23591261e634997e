package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"netlab/lab/journal"
)

// Teardown undoes everything in the lab's journal, the last first, and removes
// the journal once nothing is left. It needs no scenario. It never stops at a
// failure; what could not be undone stays in the journal, and the error is
// ErrFailed joined with what went wrong. The caller holds the lab's lock.
func (r *Runner) Teardown(ctx context.Context, j *journal.Journal) error {
	started := r.Now()
	name := j.Header.Lab
	open := j.Open()
	r.emit(Event{Type: UndoStart, Lab: name, Scenario: j.Header.Scenario, Machine: r.Machine, Total: len(open)})
	u := &undo{Runner: r, journal: j, report: r.emit}
	err := u.entries(ctx, open)
	left := len(j.Open())
	end := Event{Type: UndoEnd, Lab: name, Scenario: j.Header.Scenario, Machine: r.Machine, Outcome: Down, Total: left}
	switch {
	case errors.Is(err, ErrInterrupted):
		end.Outcome = Interrupted
	case err != nil:
		end.Outcome = Failed
		err = fmt.Errorf("teardown of %s: %w: %w", name, ErrFailed, err)
	default:
		err = j.Remove()
	}
	end.Elapsed = r.Now().Sub(started)
	r.emit(end)
	return err
}

// undoQuietly takes back a single op in the middle of a run.
func (r *Runner) undoQuietly(j *journal.Journal, e journal.Entry) error {
	u := &undo{Runner: r, journal: j, report: func(Event) {}}
	return u.entries(context.Background(), []journal.Entry{e})
}

// undo is the state of undoing some entries of a journal.
type undo struct {
	*Runner
	journal *journal.Journal
	report  func(Event)
	going   map[Ref]int // what the entries made, and by which entry: it will go
}

func (u *undo) entries(ctx context.Context, entries []journal.Entry) error {
	u.going = map[Ref]int{}
	var errs []error
	for _, e := range entries {
		refs, err := u.makes(e)
		errs = append(errs, err)
		for _, ref := range refs {
			u.going[ref] = e.Seq
		}
	}
	for i := len(entries) - 1; i >= 0; i-- {
		if err := interrupted(ctx); err != nil {
			return errors.Join(append(errs, err)...)
		}
		errs = append(errs, u.entry(entries[i]))
	}
	return errors.Join(errs...)
}

func (u *undo) makes(e journal.Entry) ([]Ref, error) {
	o, err := u.Codec.Decode(e.Op.Kind, e.Op.Op)
	if err != nil {
		return nil, err
	}
	if maker, ok := o.(Maker); ok {
		return maker.Makes(), nil
	}
	return nil, nil
}

// entry undoes one op, with all that it took over from other labs.
func (u *undo) entry(e journal.Entry) (err error) {
	forward, err := u.Codec.Decode(e.Op.Kind, e.Op.Op)
	if err != nil {
		return err
	}
	release, err := u.lockShared(forward)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if s, ok := forward.(Sharer); ok && s.Shared() != "" {
		if err := u.journal.Reload(); err != nil { // another lab may have handed something over
			return err
		}
		e = u.journal.Entries[e.Seq-1]
	}
	inverse, err := decode(u.Codec, append(e.Undo, e.Taken...))
	if err != nil {
		return err
	}
	var errs []error
	for _, o := range inverse {
		if err := u.op(e, forward, o); err != nil {
			u.report(opEvent(UndoFail, u.journal.Header.Lab, e.Step, o, err))
			errs = append(errs, fmt.Errorf("%s: %w", o.Command(), err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if _, done := u.journal.Steps[e.Step]; done {
		if err := u.journal.StepUndone(e.Step, u.Now()); err != nil {
			return err
		}
	}
	return u.journal.Undone(e.Seq)
}

// op applies one inverse, unless it need not or must not be applied.
func (u *undo) op(e journal.Entry, forward, o Op) error {
	if u.goesAlong(e, o) {
		return nil
	}
	o, skip, err := u.ours(e, forward, o)
	if err != nil {
		return err
	}
	if skip == "" {
		skip, err = u.handOver(o)
	}
	if err != nil {
		return err
	}
	values := map[string]string(nil)
	if skip == "" {
		err = o.Apply(u.Kernel)
		switch {
		case errors.Is(err, ErrGone):
			skip = SkipGone
		case errors.Is(err, ErrChanged):
			skip, values = SkipChanged, map[string]string{"why": err.Error()}
		case errors.Is(err, ErrInUse):
			skip = SkipInUse
		case err != nil:
			return err
		default:
			err = o.Verify(u.Kernel)
		}
	}
	if skip != "" {
		ev := opEvent(UndoSkip, u.journal.Header.Lab, e.Step, o, errors.New(""))
		ev.Outcome, ev.Values = skip, values
		u.report(ev)
		return nil
	}
	if err != nil {
		return err
	}
	u.report(Event{Type: UndoDone, Lab: u.journal.Header.Lab, Step: e.Step, Command: o.Command().String()})
	return nil
}

// goesAlong tells whether what the inverse would take away goes by itself, with
// an object that another of the entries made: routes go with their device, and
// devices with their namespace.
func (u *undo) goesAlong(e journal.Entry, o Op) bool {
	dweller, ok := o.(Dweller)
	if !ok {
		return false
	}
	for _, ref := range dweller.Within() {
		if by, ok := u.going[ref]; ok && by != e.Seq {
			return true
		}
	}
	return false
}

// ours makes sure that the objects an inverse works on are those the lab made,
// whatever they are called now. It returns the inverse, under their new name if
// they have one, or the reason to leave them alone.
func (u *undo) ours(e journal.Entry, forward, o Op) (Op, string, error) {
	dweller, ok := o.(Dweller)
	if !ok {
		return o, "", nil
	}
	for _, ref := range dweller.Within() {
		id, known, err := u.identity(ref)
		if err != nil {
			return nil, "", err
		}
		if !known {
			skip, err := u.unfinished(e, forward, ref)
			if err != nil || skip != "" {
				return o, skip, err
			}
			continue
		}
		now, err := ref.NameNow(u.Kernel, id)
		if errors.Is(err, fs.ErrNotExist) {
			if _, err := ref.Identify(u.Kernel); err == nil {
				return o, SkipReplaced, nil
			}
			return o, SkipGone, nil
		}
		if err != nil {
			return nil, "", err
		}
		if now != ref.Name {
			renamed, ok := o.(interface{ Renamed(string) Op })
			if !ok {
				return o, SkipChanged, nil
			}
			o = renamed.Renamed(now)
		}
	}
	return o, "", nil
}

// identity finds what the journal knows of the object that bore a name.
func (u *undo) identity(ref Ref) (id Identity, known bool, err error) {
	for _, e := range u.journal.Entries {
		if e.Undone {
			continue
		}
		for _, m := range e.Made {
			var made Ref
			if err := json.Unmarshal(m.Ref, &made); err != nil {
				return id, false, fmt.Errorf("decode what op %d made: %w", e.Seq, err)
			}
			if made != ref {
				continue
			}
			if err := json.Unmarshal(m.ID, &id); err != nil {
				return id, false, fmt.Errorf("decode what op %d made: %w", e.Seq, err)
			}
			known = true
		}
	}
	return id, known, nil
}

// unfinished judges an object whose making was interrupted before its identity
// was written down: it is the lab's if it stands there as made, untouched.
func (u *undo) unfinished(e journal.Entry, forward Op, ref Ref) (skip string, err error) {
	maker, ok := forward.(Maker)
	if !ok || e.Done {
		return "", nil // an object that was there before the lab
	}
	if _, err := ref.Identify(u.Kernel); errors.Is(err, fs.ErrNotExist) {
		return "", nil // nothing there to mistake
	}
	fresh, err := maker.Fresh(u.Kernel)
	if err != nil {
		return "", err
	}
	if !fresh {
		return SkipUnknown, nil
	}
	return "", nil
}

// handOver gives the inverse to another lab that still needs the same thing.
// The caller holds the shared lock.
func (u *undo) handOver(o Op) (skip string, err error) {
	s, ok := o.(Sharer)
	if !ok || s.Shared() == "" {
		return "", nil
	}
	labs, err := u.Dir.Labs()
	if err != nil {
		return "", err
	}
	for _, lab := range labs {
		if lab == u.journal.Header.Lab {
			continue
		}
		took, err := u.offer(lab, s)
		if err != nil {
			return "", fmt.Errorf("ask whether lab %s needs it: %w", lab, err)
		}
		if took {
			return SkipHandedOver, nil
		}
	}
	return "", nil
}

func (u *undo) offer(lab string, s Sharer) (bool, error) {
	other, err := u.Dir.Open(lab)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer other.Close()
	for _, e := range other.Open() {
		theirs, err := u.Codec.Decode(e.Op.Kind, e.Op.Op)
		if err != nil {
			return false, err
		}
		if t, ok := theirs.(Sharer); ok && t.Shared() == s.Shared() {
			encoded, err := encode([]Op{s})
			if err != nil {
				return false, err
			}
			return true, other.Take(e.Seq, u.journal.Header.Lab, encoded)
		}
	}
	return false, nil
}
