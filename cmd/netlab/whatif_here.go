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
	values, _, j, err := a.begin(ctx, k, a.labs, s, runOptions{lab: s.Name}, t.values(s, values))
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
	plan := lab.Plan{Lab: s.Name, Scenario: s.Name, Params: values, Steps: t.steps(s, setting), Explain: explainTrial(s, setting, t)}
	err = r.Run(ctx, plan, j, lab.Options{NoBefore: true, LeaveOut: t.Skip, GoOn: true})
	if errors.Is(err, lab.ErrFailed) && !errors.Is(err, lab.ErrInterrupted) {
		return nil // it was told, and gone on past
	}
	return err
}

// explainTrial makes what asks why checks of a trial failed. Where nothing is known to
// be in the pod's way, it is the first change of the lab that is not there, or other
// than the lab has it; and where all of the lab is there, what was set.
func explainTrial(s scenarios.Scenario, setting scenarios.Setting, t trial) func(context.Context, *kernel.Kernel, string) ([]lab.Cause, error) {
	find, plan := explain(s, setting), lab.Plan{Steps: s.Steps(setting)}
	return func(ctx context.Context, k *kernel.Kernel, stepID string) ([]lab.Cause, error) {
		if find != nil {
			if causes, err := find(ctx, k, stepID); err != nil || len(causes) > 0 {
				return causes, err
			}
		}
		missing, err := plan.Unmade(ctx, k, stepID)
		if err != nil {
			return nil, err
		}
		if missing == nil {
			return t.setCause(), nil
		}
		return []lab.Cause{missing.Cause()}, nil
	}
}
