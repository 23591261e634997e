package lab

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"netlab/lab/journal"
)

// Teardown undoes everything in the lab's journal, the last first, and removes
// the journal once nothing is left. It needs no scenario. It never stops at a
// failure; what could not be undone stays in the journal, and the error is
// ErrFailed joined with what went wrong, or ErrInterrupted, or both. Of a journal
// that was salvaged it undoes all that is left, and the error is ErrFailed with
// journal.ErrDamaged. The caller holds the lab's lock.
func (r *Runner) Teardown(ctx context.Context, j *journal.Journal) error {
	started := r.Now()
	name := j.Header.Lab
	open := j.OpenSeqs()
	r.emit(Event{Type: UndoStart, Lab: name, Scenario: j.Header.Scenario, Machine: r.Machine, Total: len(open)})
	j.Forgive()
	u := &undo{Runner: r, journal: j, report: r.emit}
	stopped, err := u.entries(ctx, open)
	if err != nil {
		err = fmt.Errorf("teardown of %s: %w: %w", name, ErrFailed, err)
	}
	left := len(j.OpenSeqs())
	end := Event{Type: UndoEnd, Lab: name, Scenario: j.Header.Scenario, Machine: r.Machine, Outcome: Down, Total: left}
	switch {
	case stopped:
		end.Outcome = Interrupted
		err = errors.Join(err, ErrInterrupted)
	case err != nil:
		end.Outcome = Failed
	default:
		if err = j.Remove(); err != nil {
			end.Outcome = Failed
		} else if h := j.Header; h.Lost > 0 {
			end.Outcome, end.Values = Salvaged, map[string]string{"lost": strconv.Itoa(h.Lost), "file": h.Aside}
			err = fmt.Errorf("teardown of %s: %w: %w", name, ErrFailed, journal.ErrDamaged)
		}
	}
	end.Elapsed = r.Now().Sub(started)
	r.emit(end)
	return err
}

// undoQuietly takes back a single op in the middle of a run.
func (r *Runner) undoQuietly(j *journal.Journal, e journal.Entry) error {
	u := &undo{Runner: r, journal: j, report: func(Event) {}}
	_, err := u.entries(context.Background(), []int{e.Seq})
	return err
}

// undo is the state of undoing some entries of a journal.
type undo struct {
	*Runner
	journal  *journal.Journal
	report   func(Event)
	going    map[Ref]int          // what the entries made, and by which entry: it will go
	along    map[int][]int        // those that go along with that entry, when it goes
	known    map[Ref][]identified // what the journal's ops made; nil: not read yet
	bound    []journal.Entry      // what goes by itself once something else has; see bound.go
	settling bool                 // nothing goes by itself any more
}

// progressEach is after how many ops an undo says how far it is.
const progressEach = 500

// entries undoes them, the last first, until ctx ends: stopped tells of that.
func (u *undo) entries(ctx context.Context, seqs []int) (stopped bool, err error) {
	u.going, u.along = map[Ref]int{}, map[int][]int{}
	for _, seq := range seqs {
		e := u.journal.Entries[seq-1]
		forward, err := u.Codec.Decode(e.Op.Kind, e.Op.Op)
		if err != nil {
			continue // entry says so
		}
		if maker, ok := forward.(Maker); ok {
			for _, ref := range maker.Makes() {
				u.going[ref] = e.Seq
			}
		}
	}
	var errs []error
	for i := len(seqs) - 1; i >= 0 && !stopped; i-- {
		if stopped = interrupted(ctx) != nil; !stopped {
			errs = append(errs, u.entry(u.journal.Entries[seqs[i]-1]))
		}
		if done := len(seqs) - i; done%progressEach == 0 {
			u.report(Event{Type: Progress, Lab: u.journal.Header.Lab, Index: done, Total: len(seqs)})
		}
	}
	left, err := u.settle(ctx)
	return stopped || left, errors.Join(append(errs, err)...)
}

// entry undoes one op, with all that it took over from other labs.
func (u *undo) entry(e journal.Entry) (err error) {
	forward, err := u.Codec.Decode(e.Op.Kind, e.Op.Op)
	if err != nil {
		return u.failed(e, err)
	}
	release, err := u.lockShared(forward)
	if err != nil {
		return u.failed(e, err)
	}
	defer func() {
		if left := release(); left != nil {
			err = errors.Join(err, u.failed(e, left))
		}
	}()
	if shared(forward) {
		if err := u.journal.Reload(); err != nil { // another lab may have handed something over
			return u.failed(e, err)
		}
		e = u.journal.Entries[e.Seq-1]
	}
	all, err := decode(u.Codec, slices.Concat(e.Undo, e.Taken))
	if err != nil {
		return u.failed(e, err)
	}
	inverse := slices.DeleteFunc(slices.Clone(all), func(o Op) bool { return u.goesWith(e, o) != 0 })
	if len(all) > 0 && len(inverse) == 0 && !shared(forward) {
		with := u.goesWith(e, append(all, forward)...)
		if !u.journal.Entries[with-1].Undone {
			u.along[with] = append(u.along[with], e.Seq)
			return nil
		}
	}
	waits, err := u.goesByItself(e, forward, all)
	if waits {
		err = u.bind(e)
	}
	if err != nil {
		return u.failed(e, err)
	}
	if waits {
		return nil
	}
	if err := u.stepUndone(e.Step); err != nil {
		return u.failed(e, err)
	}
	var errs []error
	for _, o := range inverse {
		if err := u.op(e, forward, o); err != nil {
			u.report(opEvent(UndoFail, u.journal.Header.Lab, e.Place, o, err))
			errs = append(errs, fmt.Errorf("%s: %w", o.Command(), err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if err := u.undone(e); err != nil {
		return u.failed(e, err)
	}
	return nil
}

// failed reports an entry that could not be undone for a reason that no single
// command has.
func (u *undo) failed(e journal.Entry, err error) error {
	err = fmt.Errorf("undo op %d, %s: %w", e.Seq, e.Op.Kind, err)
	u.report(Event{Type: UndoFail, Lab: u.journal.Header.Lab, Step: e.Step, Group: e.Group, Error: err.Error()})
	return err
}

// undone writes down that an entry is undone, after those that went along.
func (u *undo) undone(e journal.Entry) error {
	var seqs []int
	for a := range u.withAlong(e) {
		if err := u.stepUndone(a.Step); err != nil {
			return err
		}
		seqs = append(seqs, a.Seq)
	}
	return u.journal.Undone(seqs...)
}

// withAlong are an entry and those that go along with it, those first. They are no
// longer remembered to.
func (u *undo) withAlong(e journal.Entry) iter.Seq[journal.Entry] {
	return func(yield func(journal.Entry) bool) {
		for _, a := range u.along[e.Seq] {
			for b := range u.withAlong(u.journal.Entries[a-1]) {
				if !yield(b) {
					return
				}
			}
		}
		delete(u.along, e.Seq)
		yield(e)
	}
}

// stepUndone writes down that a step is no longer done.
func (u *undo) stepUndone(id string) error {
	if _, done := u.journal.Steps[id]; !done {
		return nil
	}
	return u.journal.StepUndone(id, u.Now())
}

// goesWith is the entry that takes the effect of an op along when it is undone:
// routes go with their device, and devices with their namespace. Of several it
// is the one to be undone first; 0: none.
func (u *undo) goesWith(e journal.Entry, ops ...Op) int {
	with := 0
	for _, o := range ops {
		for _, ref := range within(o) {
			if by := u.going[ref]; by != e.Seq {
				with = max(with, by)
			}
		}
	}
	return with
}
