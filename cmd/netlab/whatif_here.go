package main

import (
	"context"
	"errors"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// tryHere does one trial in the sandbox that this process is in, says in JSON what
// happens, and takes it down again. That a lab is not as it should be is what a trial
// is for, and no failure; a teardown that leaves something is.
func (a *app) tryHere(ctx context.Context, s scenarios.Scenario, values scenarios.Values, t trial) (err error) {
	if err := a.emptySandbox(); err != nil {
		return err
	}
	lock, err := a.labs.Lock(s.Name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	values, _, j, err := a.begin(k, a.labs, s, runOptions{lab: s.Name}, t.values(s, values))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	r := a.runner(k, machine.KindSandbox, a.jsonView())
	// Whatever happens, and after an interrupt too.
	defer func() { err = errors.Join(err, r.Teardown(context.WithoutCancel(ctx), j)) }()
	setting, err := a.setting(k, s, s.Name, values)
	if err != nil {
		return err
	}
	plan := lab.Plan{Lab: s.Name, Scenario: s.Name, Params: values, Steps: t.steps(s, setting), Explain: explain(s, setting)}
	err = r.Run(ctx, plan, j, lab.Options{NoBefore: true, LeaveOut: t.Skip, GoOn: true})
	if errors.Is(err, lab.ErrFailed) && !errors.Is(err, lab.ErrInterrupted) {
		return nil // it was told, and gone on past
	}
	return err
}
