package lab

import (
	"errors"
)

// Outcomes of a step that was left out, where that makes no difference to the state.
const (
	AlreadySo = "already-so" // all that it would have set is so without it
	NoChanges = "no-changes" // it only looks
)

// leftOut says that a step's changes are not made, and whether the kernel has them
// all the same.
func (x *run) leftOut(i int, step Step) {
	e := Event{Type: LeftOut, Lab: x.plan.Lab, Step: step.ID, Index: i + 1, Total: len(x.plan.Steps), Outcome: NoChanges}
	for _, o := range step.All() {
		if o.Verify(x.Kernel) != nil {
			e.Outcome = ""
			break
		}
		e.Outcome = AlreadySo
	}
	x.emit(e)
}

// past is nil for what the run is to go on past: a failure that was told of. It is
// remembered, for the run has failed.
func (x *run) past(err error) error {
	if !x.options.GoOn || !errors.Is(err, ErrFailed) || errors.Is(err, ErrInterrupted) {
		return err
	}
	x.failed = errors.Join(x.failed, err)
	return nil
}
