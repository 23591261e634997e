package lab

import (
	"context"
	"errors"
	"slices"
	"time"

	"netlab/lab/journal"
	"netlab/lab/kernel"
)

// Runner runs labs on one machine. All fields are required.
type Runner struct {
	Kernel *kernel.Kernel
	Codec  Codec
	Dir    journal.Dir
	Now    func() time.Time // of several goroutines at once
	Emit   func(Event)
	// Machine is "host" or "sandbox", for the events.
	Machine string
}

// Plan is a scenario made ready for one machine.
type Plan struct {
	Lab      string
	Scenario string
	Params   map[string]string
	Steps    []Step
	// Notes are said before the first step: what may surprise on this machine.
	Notes []Note
	// Explain inspects the kernel for what makes a check of that step fail; nil:
	// nothing is known of causes. It changes nothing. Before the step it says what
	// keeps the step's checks from holding yet.
	Explain func(ctx context.Context, k *kernel.Kernel, stepID string) ([]Cause, error)
}

// Options choose how much of a plan is run.
type Options struct {
	Until    string // the last step to do; empty: all
	NoBefore bool   // leave out the checks before the steps
	Gate     Gate   // lets somebody step through the run; nil: nobody does
	// LeaveOut are steps whose changes are not made; what they should bring is tried
	// all the same.
	LeaveOut []string
	// GoOn goes on past changes and checks that fail: each is told of, and what
	// comes next is tried. Such a step does not count as done.
	GoOn bool
}

var (
	// ErrFailed: a step or a check failed; the events said which and why.
	ErrFailed = errors.New("the lab is not as it should be")
	// ErrInterrupted: the context ended between two changes.
	ErrInterrupted = errors.New("interrupted")
)

// run is the state of one Runner.Run.
type run struct {
	*Runner
	plan    Plan
	journal *journal.Journal
	checks  int // that held
	tried   int // of how many
	passed  int // steps done, or verified
	options Options
	failed  error // what the run has gone on past
}

// Run does the steps of the plan that the lab's journal does not say are done,
// and verifies those that are. The caller holds the lab's lock; j is its
// journal. The error is ErrFailed or ErrInterrupted, or says what netlab itself
// could not do.
func (r *Runner) Run(ctx context.Context, plan Plan, j *journal.Journal, o Options) error {
	started := r.Now()
	x := &run{Runner: r, plan: plan, journal: j, options: o}
	r.emit(Event{Type: RunStart, Lab: plan.Lab, Scenario: plan.Scenario, Machine: r.Machine, Params: plan.Params, Total: len(plan.Steps)})
	for _, n := range plan.Notes {
		r.emit(Event{Type: NoteSaid, Lab: plan.Lab, ID: n.ID, Values: n.Values, Command: n.Command.String()})
	}
	err := x.rollBackUnfinished(ctx)
	if err == nil {
		err = x.steps(ctx, o)
	}
	if errors.Is(err, ErrQuit) {
		err = nil // what is done, stays
	}
	end := Event{Type: RunEnd, Lab: plan.Lab, Scenario: plan.Scenario, Machine: r.Machine, Steps: len(j.Steps), Total: len(plan.Steps), Checks: x.checks, Tried: x.tried, Outcome: Up}
	switch {
	case errors.Is(err, ErrInterrupted):
		end.Outcome = Interrupted
	case err != nil:
		end.Outcome, end.Steps = Failed, x.passed
	case len(j.Steps) < len(plan.Steps):
		end.Outcome = Partial
	}
	end.Elapsed = r.Now().Sub(started)
	r.emit(end)
	return err
}

// progress says how much of a step, or of an undo, is done.
func (r *Runner) progress(lab, step string, done, total int) {
	r.emit(Event{Type: Progress, Lab: lab, Step: step, Index: done, Total: total})
}

func (r *Runner) emit(e Event) {
	e.Time = r.Now()
	r.Emit(e)
}

// rollBackUnfinished undoes an op that an earlier run announced and may have
// applied, so that it can be done again from the start.
func (x *run) rollBackUnfinished(ctx context.Context) error {
	for _, e := range x.journal.Open() {
		if !e.Done {
			if err := x.undoQuietly(x.journal, e); err != nil {
				return err
			}
		}
	}
	return interrupted(ctx)
}

func (x *run) steps(ctx context.Context, o Options) error {
	all := true // every step was done before: a run that only verifies
	for _, step := range x.plan.Steps {
		_, done := x.journal.Steps[step.ID]
		all = all && done
	}
	for i, step := range x.plan.Steps {
		failed := x.failed
		if _, done := x.journal.Steps[step.ID]; done {
			if err := x.again(ctx, i, all); err != nil {
				return err
			}
		} else if err := x.gated(ctx, i, step, o); err != nil {
			return err
		}
		if x.failed == failed && !slices.Contains(o.LeaveOut, step.ID) {
			x.passed++
		}
		if step.ID == o.Until {
			break
		}
	}
	return x.failed
}

// again verifies what lasts of a step that is done: what it changed, and if asked,
// what can be observed.
func (x *run) again(ctx context.Context, i int, checks bool) error {
	started := x.Now()
	step, ended, err := x.plan.lasting(i, x.begun)
	if err != nil {
		return err
	}
	x.emit(Event{Type: StepStart, Lab: x.plan.Lab, Step: step.ID, Index: i + 1, Total: len(x.plan.Steps), Phase: AlreadyDone})
	differs := false
	err = x.verify(ctx, x.plan.Lab, step, func(group string, o Op, err error) error {
		if err == nil {
			x.emit(Event{Type: OpDone, Lab: x.plan.Lab, Step: step.ID, Group: group, Command: o.Command().String(), Phase: AlreadyDone})
			return nil
		}
		again, comesErr := x.comesAgain(i, o)
		if again || comesErr != nil {
			return comesErr
		}
		differs = true
		return x.opFailed(at(step, group), o, err)
	})
	if differs {
		err = errors.Join(err, x.explain(ctx, x.plan, step.ID, false))
	}
	if err != nil {
		return err
	}
	if checks {
		x.ended(x.plan.Lab, step.ID, ended)
		if err := x.after(ctx, step); err != nil {
			return err
		}
	}
	x.emit(Event{Type: StepEnd, Lab: x.plan.Lab, Step: step.ID, Index: i + 1, Total: len(x.plan.Steps), Phase: AlreadyDone, Elapsed: x.Now().Sub(started)})
	return nil
}

func (x *run) step(ctx context.Context, i int, step Step, o Options) error {
	started := x.Now()
	x.emit(Event{Type: StepStart, Lab: x.plan.Lab, Step: step.ID, Index: i + 1, Total: len(x.plan.Steps)})
	for _, n := range step.Notes {
		x.emit(Event{Type: NoteSaid, Lab: x.plan.Lab, Step: step.ID, ID: n.ID, Values: n.Values})
	}
	applied, err := x.applied(step)
	if err != nil {
		return err
	}
	left, _, err := x.plan.lasting(i, x.begun) // a later step may be done already
	if err != nil {
		return err
	}
	step.Checks = left.Checks
	if len(applied) == 0 {
		if err := x.before(ctx, step, o); err != nil {
			return err
		}
	}
	failed := x.failed
	if slices.Contains(o.LeaveOut, step.ID) {
		x.leftOut(i, step)
	} else if err := x.change(ctx, step, applied); err != nil {
		return err
	}
	if err := x.past(x.after(ctx, step)); err != nil {
		return err
	}
	if x.failed == failed && !slices.Contains(o.LeaveOut, step.ID) {
		if err := x.journal.StepDone(step.ID, x.Now()); err != nil {
			return err
		}
	}
	x.emit(Event{Type: StepEnd, Lab: x.plan.Lab, Step: step.ID, Index: i + 1, Total: len(x.plan.Steps), Elapsed: x.Now().Sub(started)})
	return nil
}

// change makes a step's changes; applied are the ops that are made already.
func (x *run) change(ctx context.Context, step Step, applied map[int]bool) error {
	if len(applied) == 0 {
		if err := x.past(x.refusals(ctx, step)); err != nil {
			return err
		}
	}
	for n, op := range step.Ops {
		if err := x.past(x.op(ctx, at(step, ""), op, applied[n])); err != nil {
			return err
		}
	}
	return x.grouped(ctx, step, applied)
}

// begun tells whether anything of a step is done.
func (x *run) begun(stepID string) bool {
	_, done := x.journal.Steps[stepID]
	return done || x.journal.Begun(stepID)
}

func interrupted(ctx context.Context) error {
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	return nil
}
