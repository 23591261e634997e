package main

import (
	"context"
	"errors"
	"io/fs"

	"netlab/lab"
	"netlab/lab/doctor"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// startSandbox makes a sandbox for what the plan asks. One that can't be made is
// refused with what doctor finds in its way; nothing was changed then.
func (a *app) startSandbox(ctx context.Context, name string, plan machine.Plan) (*machine.Sandbox, error) {
	if err := machine.HaveNsenter(); err != nil { // it could be made, and not entered
		return nil, a.noSandbox(ctx, plan, err)
	}
	s, err := machine.Start(name)
	if errors.Is(err, fs.ErrExist) { // by another netlab meanwhile, or one that had our number
		return nil, &journal.BusyError{Lab: name}
	}
	if err != nil {
		return nil, a.noSandbox(ctx, plan, err)
	}
	return s, nil
}

// noSandbox is what keeps a sandbox from being made, as doctor finds it; where it
// finds nothing, it is the error.
func (a *app) noSandbox(ctx context.Context, plan machine.Plan, err error) error {
	k := kernel.Open()
	x := doctor.Examine(ctx, a.question(k, &survey{plan: plan}, false))
	if closeErr := k.Close(); closeErr != nil {
		return errors.Join(err, closeErr)
	}
	if machine.Worst(x.Found) == machine.Stop {
		return a.inTheWay(&survey{plan: plan, found: x.Found})
	}
	text, next := a.inWords(err)
	return &cannotError{Text: text, Next: next, Err: err}
}

// asTyped is the plan of a command that decides inside what it builds.
func (a *app) asTyped() machine.Plan {
	return machine.Plan{Again: append(lab.Command{"netlab"}, a.args...)}
}
