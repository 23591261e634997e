package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"netlab/lab/journal"
)

// op applies one inverse, unless it must not be applied.
func (u *undo) op(e journal.Entry, forward, o Op) error {
	o, skip, err := u.ours(e, forward, o)
	if err != nil {
		return err
	}
	if skip == "" {
		skip, err = u.handOver(forward, o)
	}
	if err != nil {
		return err
	}
	values := map[string]string(nil)
	if skip == "" {
		if err := u.halfway(e, o); err != nil {
			return err
		}
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
		ev := opEvent(UndoSkip, u.journal.Header.Lab, e.Place, o, errors.New(""))
		ev.Outcome, ev.Values = skip, values
		u.report(ev)
		return nil
	}
	if err != nil {
		return err
	}
	u.report(Event{Type: UndoDone, Lab: u.journal.Header.Lab, Step: e.Step, Group: e.Group, Command: o.Command().String()})
	return nil
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
			left, err := remains(u.Kernel, o)
			if err != nil {
				return nil, "", err
			}
			if left {
				continue
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

// identified is the identity of an object that an op made, by its number.
type identified struct {
	by int
	id Identity
}

// identity finds what the journal knows of the object that bore a name: what the
// last op that is not undone made of it.
func (u *undo) identity(ref Ref) (id Identity, known bool, err error) {
	if u.known == nil {
		if u.known, err = identities(u.journal); err != nil {
			return id, false, err
		}
	}
	made := u.known[ref]
	for i := len(made) - 1; i >= 0; i-- {
		if !u.journal.Entries[made[i].by-1].Undone {
			return made[i].id, true, nil
		}
	}
	return id, false, nil
}

// identities are those of all that the ops of a journal made, in their order.
func identities(j *journal.Journal) (map[Ref][]identified, error) {
	known := map[Ref][]identified{}
	for _, e := range j.Entries {
		for _, m := range e.Made {
			var ref Ref
			one := identified{by: e.Seq}
			if err := errors.Join(json.Unmarshal(m.Ref, &ref), json.Unmarshal(m.ID, &one.id)); err != nil {
				return nil, fmt.Errorf("decode what op %d made: %w", e.Seq, err)
			}
			known[ref] = append(known[ref], one)
		}
	}
	return known, nil
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
