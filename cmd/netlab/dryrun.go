package main

import (
	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// dryRun shows what a run would do.
func (a *app) dryRun(s scenarios.Scenario, o runOptions, values scenarios.Values, sandbox bool) error {
	k := kernel.Open()
	defer k.Close()
	setting, err := a.sketch(k, s, o.lab, values, sandbox)
	if err != nil {
		return err
	}
	view, err := a.view(s, setting, false)
	if err != nil {
		return err
	}
	kind := "host"
	if sandbox {
		kind = machine.KindSandbox
	}
	steps := s.Steps(setting)
	a.runner(k, kind, view).Show(lab.Plan{
		Lab: o.lab, Scenario: s.Name, Params: setting.Values, Steps: steps,
	}, atOrBefore(s, steps, o.until))
	return nil
}
