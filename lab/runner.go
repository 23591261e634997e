package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"netlab/lab/journal"
	"netlab/lab/kernel"
)

// Runner runs labs on one machine. All fields are required.
type Runner struct {
	Kernel *kernel.Kernel
	Codec  Codec
	Dir    journal.Dir
	Now    func() time.Time
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
	// Explain inspects the kernel for what makes a check of that step fail; nil:
	// nothing is known of causes. It changes nothing.
	Explain func(ctx context.Context, k *kernel.Kernel, stepID string) ([]Cause, error)
}

// Options choose how much of a plan is run.
type Options struct {
	Until    string // the last step to do; empty: all
	NoBefore bool   // leave out the checks before the steps
}

// Patience with answers: a check before its step waits to see nothing, so it
// must be short; one after it may meet a proxy_delay of up to 0.8 s (facts.md,
// section 2) and a lost packet.
const (
	patienceBefore = 200 * time.Millisecond
	patienceAfter  = 3 * time.Second
)

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
	checks  int
}

// Run does the steps of the plan that the lab's journal does not say are done,
// and verifies those that are. The caller holds the lab's lock; j is its
// journal. The error is ErrFailed or ErrInterrupted, or says what netlab itself
// could not do.
func (r *Runner) Run(ctx context.Context, plan Plan, j *journal.Journal, o Options) error {
	started := r.Now()
	x := &run{Runner: r, plan: plan, journal: j}
	r.emit(Event{Type: RunStart, Lab: plan.Lab, Scenario: plan.Scenario, Machine: r.Machine, Params: plan.Params, Total: len(plan.Steps)})
	err := x.rollBackUnfinished(ctx)
	if err == nil {
		err = x.steps(ctx, o)
	}
	end := Event{Type: RunEnd, Lab: plan.Lab, Scenario: plan.Scenario, Machine: r.Machine, Steps: len(j.Steps), Total: len(plan.Steps), Checks: x.checks, Outcome: Up}
	switch {
	case errors.Is(err, ErrInterrupted):
		end.Outcome = Interrupted
	case err != nil:
		end.Outcome = Failed
	case len(j.Steps) < len(plan.Steps):
		end.Outcome = Partial
	}
	end.Elapsed = r.Now().Sub(started)
	r.emit(end)
	return err
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
		if _, done := x.journal.Steps[step.ID]; done {
			if err := x.again(ctx, i, step, all); err != nil {
				return err
			}
		} else if err := x.step(ctx, i, step, o); err != nil {
			return err
		}
		if step.ID == o.Until {
			return nil
		}
	}
	return nil
}

// again verifies a step that is done: what it changed, and if asked, what can
// be observed.
func (x *run) again(ctx context.Context, i int, step Step, checks bool) error {
	started := x.Now()
	x.emit(Event{Type: StepStart, Lab: x.plan.Lab, Step: step.ID, Index: i + 1, Total: len(x.plan.Steps), Phase: AlreadyDone})
	for _, o := range step.Ops {
		if err := o.Verify(x.Kernel); err != nil {
			return x.opFailed(step, o, err)
		}
		x.emit(Event{Type: OpDone, Lab: x.plan.Lab, Step: step.ID, Command: o.Command().String(), Phase: AlreadyDone})
	}
	if checks {
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
	applied := x.applied(step)
	if applied == 0 {
		if err := x.before(ctx, step, o); err != nil {
			return err
		}
		if err := x.refusals(ctx, step); err != nil {
			return err
		}
	}
	for n, op := range step.Ops {
		if err := x.op(ctx, step, op, n < applied); err != nil {
			return err
		}
	}
	if err := x.after(ctx, step); err != nil {
		return err
	}
	if err := x.journal.StepDone(step.ID, x.Now()); err != nil {
		return err
	}
	x.emit(Event{Type: StepEnd, Lab: x.plan.Lab, Step: step.ID, Index: i + 1, Total: len(x.plan.Steps), Elapsed: x.Now().Sub(started)})
	return nil
}

// applied counts the step's ops that an earlier run has applied. Ops are done
// in order and refusals leave nothing open, so they are the first ones.
func (x *run) applied(step Step) int {
	n := 0
	for _, e := range x.journal.Open() {
		if e.Step == step.ID {
			n++
		}
	}
	return n
}

// op does one op, or reads back one that was done before.
func (x *run) op(ctx context.Context, step Step, o Op, applied bool) error {
	if err := interrupted(ctx); err != nil {
		return err
	}
	x.emit(Event{Type: OpStart, Lab: x.plan.Lab, Step: step.ID, Command: o.Command().String()})
	if !applied {
		if err := x.do(step.ID, o); err != nil {
			return x.opFailed(step, o, err)
		}
	}
	if err := o.Verify(x.Kernel); err != nil {
		return x.opFailed(step, o, err)
	}
	x.emit(Event{Type: OpDone, Lab: x.plan.Lab, Step: step.ID, Command: o.Command().String()})
	return nil
}

// do applies an op. When that fails, whether it changed anything is not known:
// it is undone, which leaves alone what was not done.
func (x *run) do(stepID string, o Op) error {
	seq, err := x.apply(stepID, o)
	if err != nil && seq > 0 {
		err = errors.Join(err, x.undoQuietly(x.journal, x.journal.Entries[seq-1]))
	}
	return err
}

// apply writes down what undoes the op, applies it, and writes down what it
// made. It returns the op's number in the journal, 0 when it was not announced.
// An op on what labs share is done under their common lock, so that what it
// reads stays true until it is applied.
func (x *run) apply(stepID string, o Op) (seq int, err error) {
	release, err := x.lockShared(o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, release()) }()
	inverse, err := o.Inverse(x.Kernel)
	if err != nil {
		return 0, err
	}
	encoded, err := encode(append([]Op{o}, inverse...))
	if err != nil {
		return 0, err
	}
	seq, err = x.journal.Intend(stepID, encoded[0], encoded[1:])
	if err != nil {
		return 0, err
	}
	if err := o.Apply(x.Kernel); err != nil {
		return seq, err
	}
	made, err := x.identify(o)
	if err != nil {
		return seq, err
	}
	return seq, x.journal.Done(seq, made)
}

func (x *run) identify(o Op) ([]journal.Made, error) {
	maker, ok := o.(Maker)
	if !ok {
		return nil, nil
	}
	var made []journal.Made
	for _, ref := range maker.Makes() {
		id, err := ref.Identify(x.Kernel)
		if err != nil {
			return nil, err
		}
		m := journal.Made{}
		if m.Ref, err = json.Marshal(ref); err != nil {
			return nil, fmt.Errorf("encode %s: %w", ref, err)
		}
		if m.ID, err = json.Marshal(id); err != nil {
			return nil, fmt.Errorf("encode the identity of %s: %w", ref, err)
		}
		made = append(made, m)
	}
	return made, nil
}

// lockShared locks what labs share, if the op touches it. The returned function
// gives the lock up.
func (r *Runner) lockShared(o Op) (func() error, error) {
	if s, ok := o.(Sharer); !ok || s.Shared() == "" {
		return func() error { return nil }, nil
	}
	l, err := r.Dir.LockShared()
	if err != nil {
		return nil, err
	}
	return l.Release, nil
}

// refusals tries what the kernel must refuse, and fails when it does not.
func (x *run) refusals(ctx context.Context, step Step) error {
	for _, refusal := range step.Refusals {
		if err := interrupted(ctx); err != nil {
			return err
		}
		err := x.do(step.ID, refusal.Op)
		if err == nil {
			last := x.journal.Entries[len(x.journal.Entries)-1]
			return x.opFailed(step, refusal.Op, errors.Join(
				fmt.Errorf("the kernel was expected to refuse this (%w), and did not", refusal.Errno),
				x.undoQuietly(x.journal, last)))
		}
		if !errors.Is(err, refusal.Errno) {
			return x.opFailed(step, refusal.Op, err)
		}
		x.emit(Event{Type: Refused, Lab: x.plan.Lab, Step: step.ID, ID: refusal.ID, Command: refusal.Op.Command().String(), Error: kernelWords(err, refusal.Errno)})
	}
	return nil
}

func (x *run) before(ctx context.Context, step Step, o Options) error {
	if o.NoBefore {
		return nil
	}
	for _, c := range step.Checks {
		if !c.Before {
			continue
		}
		if _, err := x.check(ctx, step, c, Before, patienceBefore); err != nil {
			return err
		}
	}
	return nil
}

func (x *run) after(ctx context.Context, step Step) error {
	failed := false
	for _, c := range step.Checks {
		holds, err := x.check(ctx, step, c, After, patienceAfter)
		if err != nil {
			return err
		}
		if holds {
			x.checks++
		}
		failed = failed || !holds
	}
	if failed {
		return errors.Join(fmt.Errorf("step %s: %w", step.ID, ErrFailed), x.explain(ctx, x.plan, step.ID))
	}
	return nil
}

// explain emits what makes the checks of a step fail, as far as it can be found.
func (r *Runner) explain(ctx context.Context, plan Plan, stepID string) error {
	if plan.Explain == nil {
		return nil
	}
	causes, err := plan.Explain(ctx, r.Kernel, stepID)
	for _, c := range causes {
		r.emit(Event{Type: CauseSeen, Lab: plan.Lab, Step: stepID, ID: c.ID, Values: c.Values, Command: c.Repair.String()})
	}
	if err != nil {
		return fmt.Errorf("look for the cause: %w", err)
	}
	return nil
}

func (x *run) check(ctx context.Context, step Step, c Check, phase Phase, patience time.Duration) (bool, error) {
	if err := interrupted(ctx); err != nil {
		return false, err
	}
	return x.try(ctx, x.plan.Lab, step.ID, c, phase, patience)
}

// try makes one attempt of a check and emits what was seen.
func (r *Runner) try(ctx context.Context, lab, stepID string, c Check, phase Phase, patience time.Duration) (bool, error) {
	started := r.Now()
	seen, err := c.Probe.Try(ctx, r.Kernel, patience)
	if ctx.Err() != nil {
		return false, ErrInterrupted
	}
	if err != nil {
		return false, fmt.Errorf("check %s of step %s: %w", c.ID, stepID, err)
	}
	r.emit(Event{
		Type: CheckDone, Lab: lab, Step: stepID, ID: c.ID, Phase: phase, Command: c.Probe.Command().String(),
		Holds: &seen.Holds, Outcome: seen.Outcome, Values: seen.Values, Elapsed: r.Now().Sub(started),
	})
	return seen.Holds, nil
}

func (x *run) opFailed(step Step, o Op, err error) error {
	if errors.Is(err, ErrInterrupted) {
		return err
	}
	x.emit(opEvent(OpFailed, x.plan.Lab, step.ID, o, err))
	return fmt.Errorf("step %s: %w: %w", step.ID, ErrFailed, err)
}

// opEvent says that an op could not be done, or is not as it was done.
func opEvent(t Type, lab, stepID string, o Op, err error) Event {
	e := Event{Type: t, Lab: lab, Step: stepID, Command: o.Command().String(), Error: err.Error()}
	var differs *Mismatch
	if errors.As(err, &differs) {
		e.Values = map[string]string{
			"object": differs.Object, "field": differs.Field, "want": differs.Want, "found": differs.Found,
		}
	}
	return e
}

func interrupted(ctx context.Context) error {
	if ctx.Err() != nil {
		return ErrInterrupted
	}
	return nil
}
