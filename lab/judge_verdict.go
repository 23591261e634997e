package lab

import (
	"errors"
	"iter"

	"netlab/lab/kernel"
)

// ErrByChecks: whether an op's effect is there, only its step's checks can tell.
var ErrByChecks = errors.New("only a check can tell")

// Effector is an Op whose effect can be had in other ways than the one that Verify
// reads back.
type Effector interface {
	Op
	// Effect is Verify of the effect, whatever brought it about. It returns
	// ErrByChecks where nothing that is read would settle it, such as of a rule that
	// may stand in another table, in other words.
	Effect(*kernel.Kernel) error
}

// Replaceable is an Op that is one of several ways to what its step is about: where the
// step's checks hold, something else does the same.
type Replaceable interface {
	Op
	// Replaceable tells whether this one is; other values of its type may not be.
	Replaceable() bool
}

// Verdict is how far a plan has come.
type Verdict struct {
	// Passed are the steps found to be satisfied that were not reached before, in
	// their order.
	Passed []PassedStep
	// Next is the index of the first step that is not satisfied; the number of steps
	// where all are, and all that is to last was tried.
	Next int
	// Stands is, for each step, how many of its changes stand, reached or not.
	Stands []int
	// Stand is how many of the changes of that step stand that can be read back, Of
	// how many those are.
	Stand, Of int
	// Missing is the first thing that it lacks; nil: all is proven.
	Missing *Missing
	// Lost: the step was reached before, and something of it is gone.
	Lost bool
}

// PassedStep is a step that is satisfied, with what its checks saw.
type PassedStep struct {
	ID   string
	Seen []Event // of type CheckDone
	// Otherwise are the changes that do not stand: something else does their work.
	Otherwise []Command
}

// Missing is what a step lacks: a change that does not stand or, where all stand, a
// check that fails.
type Missing struct {
	Step  string
	Group string
	Op    Op    // nil: it is a check
	Err   error // of Op; mostly a *Mismatch
	Check Check
	Seen  Observation // of Check
}

// Event is what a run would say of it: OpDiffers or CheckDone.
func (m Missing) Event(lab string) Event {
	if m.Op != nil {
		return opEvent(OpDiffers, lab, at(Step{ID: m.Step}, m.Group), m.Op, m.Err)
	}
	return seenEvent(lab, m.Step, m.Check, m.Seen)
}

func seenEvent(lab, stepID string, c Check, seen Observation) Event {
	return Event{
		Type: CheckDone, Lab: lab, Step: stepID, ID: c.ID, Phase: After, Command: c.Probe.Command().String(),
		Holds: &seen.Holds, Outcome: seen.Outcome, Values: seen.Values, Journey: seen.Journey,
	}
}

// Outstanding are the changes of a step that do not stand, in their order, each with
// its group: what a person would have to do, or netlab for them. Each is looked for
// when its turn has come. Of those of which only a check can tell, it is what Verify
// says.
func (s Step) Outstanding(k *kernel.Kernel) iter.Seq[Missing] {
	return func(yield func(Missing) bool) {
		for group, o := range s.All() {
			err := effect(o, k)
			if errors.Is(err, ErrByChecks) {
				err = o.Verify(k)
			}
			if err != nil && !yield(Missing{Step: s.ID, Group: group, Op: o, Err: err}) {
				return
			}
		}
	}
}
