package lab

import (
	"errors"
	"io/fs"
	"slices"

	"netlab/lab/journal"
)

// Adopt writes down what takes away a plan's lab that somebody else builds by hand, so
// that a teardown does: to be called before they begin, when nothing of it stands yet,
// and again whenever something may have been changed. At first it announces each op
// whose undo stands by itself; what lives in an object that another op makes goes with
// that. Later it notes the identity of what stands by then, and of what was made anew.
// The caller holds the lab's lock; nothing but the journal is changed.
func (r *Runner) Adopt(plan Plan, j *journal.Journal) error {
	x := &run{Runner: r, plan: plan, journal: j}
	if _, done := j.Steps[announced]; !done {
		if err := x.announceAll(); err != nil {
			return err
		}
	}
	for _, e := range j.Open() {
		if err := x.adopt(e); err != nil {
			return err
		}
	}
	return nil
}

// announced stands in the journal, as a step, once all is announced: whoever was stopped
// before goes on with the rest.
const announced = "announced"

func (x *run) announceAll() error {
	makers := map[Ref]Op{}
	for _, step := range x.plan.Steps {
		for _, o := range step.All() {
			if m, ok := o.(Maker); ok {
				for _, ref := range m.Makes() {
					makers[ref] = o
				}
			}
		}
	}
	for _, step := range x.plan.Steps {
		for group, o := range step.All() {
			at := journal.Place{Step: step.ID, Group: group}
			known, err := x.known(at, o)
			if err == nil && !known {
				err = x.announce(at, o, makers)
			}
			if err != nil {
				return err
			}
		}
	}
	return x.journal.StepDone(announced, x.Now())
}

// known tells whether the journal has an op there.
func (x *run) known(at journal.Place, o Op) (bool, error) {
	encoded, err := encode([]Op{o})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(x.journal.Entries, func(e journal.Entry) bool {
		return e.Place == at && e.Op.Kind == encoded[0].Kind && string(e.Op.Op) == string(encoded[0].Op)
	}), nil
}

// announce writes down an op whose undo stands by itself.
func (x *run) announce(at journal.Place, o Op, makers map[Ref]Op) (err error) {
	release, err := x.lockShared(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	undo := o.Undo()
	if _, makes := o.(Maker); !makes { // what it makes may have no place yet
		if slices.ContainsFunc(within(o), func(ref Ref) bool { return makers[ref] != nil }) {
			return nil
		}
		read, err := o.Inverse(x.Kernel)
		if err == nil {
			undo = read
		} else if !errors.Is(err, fs.ErrNotExist) { // a rule's table may be to come
			return err
		}
	}
	for _, u := range undo {
		for _, ref := range within(u) {
			if by, made := makers[ref]; made && !same(by, o) {
				return nil
			}
		}
	}
	if len(undo) == 0 && !shared(o) {
		return nil
	}
	encoded, err := encode(append([]Op{o}, undo...))
	if err != nil {
		return err
	}
	_, err = x.journal.Intend(at, encoded[0], encoded[1:])
	return err
}

// same tells of two ops that could be encoded.
func same(a, b Op) bool {
	is, err := sameOp(a, b)
	return is && err == nil
}

// adopt notes what stands of an entry that makes something.
func (x *run) adopt(e journal.Entry) error {
	o, err := x.Codec.Decode(e.Op.Kind, e.Op.Op)
	if err != nil {
		return err
	}
	maker, ok := o.(Maker)
	if !ok {
		return nil
	}
	made, err := x.found(maker)
	if err != nil || len(made) == 0 || e.Done && sameMade(made, e.Made) {
		return err
	}
	theirs, err := x.madeByOthers()
	if err != nil || slices.ContainsFunc(made, func(m journal.Made) bool { return hasMade(theirs, m) }) {
		return err
	}
	seq := e.Seq
	if e.Done { // another one bears the name
		if err := x.journal.Undone(seq); err != nil {
			return err
		}
		if seq, err = x.journal.Intend(e.Place, e.Op, e.Undo); err != nil {
			return err
		}
	}
	return x.journal.Done(seq, made)
}

// found are those of what an op makes that bear the name now: the rest may have been
// moved elsewhere.
func (x *run) found(o Maker) ([]journal.Made, error) {
	var made []journal.Made
	for _, ref := range o.Makes() {
		m, err := x.made(ref)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		made = append(made, m)
	}
	return made, nil
}

// madeByOthers is what other labs here have made: it may have come to bear a name that
// was free when this one began.
func (x *run) madeByOthers() ([]journal.Made, error) {
	labs, err := x.Dir.Labs()
	if err != nil {
		return nil, err
	}
	var all []journal.Made
	for _, name := range labs {
		if name == x.journal.Header.Lab {
			continue
		}
		s, err := x.Dir.Read(name)
		if s == nil { // torn down meanwhile, or not to be read
			continue
		}
		if err != nil && !errors.Is(err, journal.ErrDamaged) {
			return nil, err
		}
		for _, e := range s.Open() {
			all = append(all, e.Made...)
		}
	}
	return all, nil
}

// sameMade: of two looks at what an op made, none has found another one.
func sameMade(now, then []journal.Made) bool {
	return !slices.ContainsFunc(now, func(m journal.Made) bool { return !hasMade(then, m) })
}

func hasMade(all []journal.Made, m journal.Made) bool {
	return slices.ContainsFunc(all, func(o journal.Made) bool { return string(o.Ref) == string(m.Ref) && string(o.ID) == string(m.ID) })
}
