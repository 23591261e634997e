package main

import (
	"context"
	"errors"
	"fmt"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// builtLab is a lab that is up to be compared.
type builtLab struct {
	scenario scenarios.Scenario
	values   scenarios.Values
	talk     scenarios.Talk
	down     func() error
}

// build makes a lab here and says nothing of it unless something fails. Its pods
// are named after the scenario: there is another lab beside it.
func (a *app) build(ctx context.Context, k *kernel.Kernel, s scenarios.Scenario) (b *builtLab, err error) {
	values := maps(s.Defaults(), scenarios.Values{"prefix": s.Name})
	if err := s.Check(values); err != nil {
		return nil, err
	}
	lock, err := a.labs.Lock(s.Name)
	if err != nil {
		return nil, err
	}
	values, _, j, err := a.begin(ctx, k, a.labs, s, runOptions{lab: s.Name}, values)
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	setting, err := a.setting(k, s, s.Name, values)
	if err == nil {
		b = &builtLab{scenario: s, values: values, talk: s.Talk(values)}
		b.down, err = a.raise(ctx, k, setting, s, j, lock)
	}
	if err != nil && b == nil {
		return nil, errors.Join(err, j.Close(), lock.Release())
	}
	if err != nil {
		return nil, errors.Join(err, b.down())
	}
	return b, nil
}

// raise runs the steps, and returns what takes them back.
func (a *app) raise(ctx context.Context, k *kernel.Kernel, setting scenarios.Setting, s scenarios.Scenario, j *journal.Journal, lock *journal.Lock) (down func() error, err error) {
	quiet := *a // shows what fails, and no more
	quiet.quiet, quiet.output, quiet.stdout = true, "text", a.stderr
	view, viewErr := quiet.view(s, setting, true)
	if viewErr != nil {
		view = func(lab.Event) {}
	}
	r := quiet.runner(k, machine.KindSandbox, view)
	down = func() error {
		return errors.Join(shown(r.Teardown(context.WithoutCancel(ctx), j)), j.Close(), lock.Release())
	}
	if viewErr != nil {
		return down, viewErr
	}
	plan := lab.Plan{Lab: s.Name, Scenario: s.Name, Params: setting.Values, Steps: s.Steps(setting), Explain: explain(s, setting)}
	if err := r.Run(ctx, plan, j, lab.Options{NoBefore: true}); err != nil {
		return down, shown(fmt.Errorf("build %s: %w", s.Name, err))
	}
	return down, nil
}
