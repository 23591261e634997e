package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"netlab/lab/journal"
)

// A veth pair goes with the namespace that one end of it is in, and all pairs of all
// namespaces that are dropped go at one time, where to delete each takes some 20 ms
// (facts.md, section 9). So what is bound to something that goes is only waited for.
// What then still stands there, because somebody keeps the namespace or has moved
// the other end out of it, is undone as anything else: so is, at once, what was not
// made for one of many. A packet of a process that has ended keeps its namespace, too,
// for as long as it waits for an answer by ARP: up to 3 s.

// goesByItself tells whether what an entry made goes because of what an entry that is
// to be undone made, or one that was undone already.
func (u *undo) goesByItself(e journal.Entry, forward Op, inverse []Op) (bool, error) {
	made, ok := forward.(Bound)
	if !ok || u.settling || !e.Done || e.Group == "" || len(inverse) != 1 {
		return false, nil
	}
	for _, ref := range made.Bound() {
		if by := u.going[ref]; by != 0 && u.journal.Entries[by-1].Done {
			return true, nil
		}
		if _, _, err := u.identity(ref); err != nil { // reads what is known
			return false, err
		}
		if known := u.known[ref]; len(known) > 0 && u.journal.Entries[known[len(known)-1].by-1].Undone {
			return true, nil
		}
	}
	return false, nil
}

// bind remembers an entry that goes by itself, and writes down that its step, and the
// steps of what goes along with it, are no longer done: nobody will be there to when
// it goes.
func (u *undo) bind(e journal.Entry) error {
	u.bound = append(u.bound, e)
	err := u.stepUndone(e.Step)
	for _, a := range u.along[e.Seq] {
		err = errors.Join(err, u.stepUndone(u.journal.Entries[a-1].Step))
	}
	return err
}

const (
	// settlePatience is how long nothing may go before it is taken that nothing goes by
	// itself any more: the kernel drops namespaces a batch at a time, which takes
	// half a millisecond for each. For few it is not much longer than to delete them
	// takes, on a busy machine.
	settlePatience = 2 * time.Second
	settleEach     = time.Millisecond
	settleFew      = 500 * time.Millisecond
	deleteEach     = 25 * time.Millisecond
	settlePoll     = 2 * time.Millisecond
)

// settle waits until the kernel has let go of what is bound, and undoes what stays.
// stopped: ctx ended before, and some of it may be there yet.
func (u *undo) settle(ctx context.Context) (stopped bool, err error) {
	bound := u.bound
	u.bound = nil
	each := time.Duration(len(bound))
	patience := min(settlePatience+each*settleEach, settleFew+each*deleteEach)
	deadline := time.Now().Add(patience)
	var gone []int
	var stays []journal.Entry
	for _, e := range bound {
		for {
			there, err := u.stands(e)
			if err != nil {
				return false, errors.Join(u.failed(e, err), u.settled(gone))
			}
			if !there {
				for a := range u.withAlong(e) {
					gone = append(gone, a.Seq)
				}
				deadline = time.Now().Add(patience)
				break
			}
			if interrupted(ctx) != nil {
				return true, u.settled(gone)
			}
			if !u.dropped(e) || time.Now().After(deadline) {
				stays = append(stays, e)
				break
			}
			time.Sleep(settlePoll)
		}
	}
	errs := []error{u.settled(gone)}
	u.going, u.settling = map[Ref]int{}, true // nothing goes any more
	for _, e := range stays {
		if stopped = interrupted(ctx) != nil; stopped {
			break
		}
		errs = append(errs, u.entry(e))
	}
	return stopped, errors.Join(errs...)
}

// settled writes down what has gone by itself.
func (u *undo) settled(gone []int) error {
	err := u.journal.Undone(gone...)
	if err != nil {
		err = fmt.Errorf("write down what has gone by itself: %w", err)
		u.report(Event{Type: UndoFail, Lab: u.journal.Header.Lab, Error: err.Error()})
	}
	return err
}

// dropped tells whether what an entry is bound to is undone, so that there is
// something to wait for.
func (u *undo) dropped(e journal.Entry) bool {
	forward, err := u.Codec.Decode(e.Op.Kind, e.Op.Op)
	bound, ok := forward.(Bound)
	if err != nil || !ok {
		return false
	}
	for _, ref := range bound.Bound() {
		if known := u.known[ref]; len(known) > 0 && u.journal.Entries[known[len(known)-1].by-1].Undone {
			return true
		}
	}
	return false
}

// stands tells whether any of what an entry made is there yet, whatever it is called.
func (u *undo) stands(e journal.Entry) (bool, error) {
	for _, m := range e.Made {
		var ref Ref
		var id Identity
		if err := errors.Join(json.Unmarshal(m.Ref, &ref), json.Unmarshal(m.ID, &id)); err != nil {
			return false, fmt.Errorf("decode what op %d made: %w", e.Seq, err)
		}
		_, err := ref.NameNow(u.Kernel, id)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	return false, nil
}
