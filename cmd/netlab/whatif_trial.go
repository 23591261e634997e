package main

import (
	"strings"

	"netlab/lab"
	"netlab/scenarios"
)

// trial is what is otherwise in one try of a lab; the zero value: nothing.
type trial struct {
	Skip []string `json:"left_out,omitempty"` // steps
	Set  []setTo  `json:"set,omitempty"`
}

// setTo is one thing that is set to something else.
type setTo struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (t trial) nothing() bool { return len(t.Skip) == 0 && len(t.Set) == 0 }

// args make netlab try it in the sandbox that it is called in.
func (t trial) args(s scenarios.Scenario, values scenarios.Values) []string {
	args := []string{"whatif", s.Name, "--here", "--output", "json"}
	for _, p := range s.Params {
		args = append(args, "--"+p.Name+"="+values[p.Name])
	}
	for _, step := range t.Skip {
		args = append(args, "--skip="+step)
	}
	for _, set := range t.Set {
		args = append(args, "--set="+set.Name+"="+set.Value)
	}
	return args
}

// values are the parameters with those that are set.
func (t trial) values(s scenarios.Scenario, values scenarios.Values) scenarios.Values {
	all := maps(values, nil)
	for _, set := range t.Set {
		if v, ok := s.Variation(set.Name); ok && v.Values == nil {
			all[set.Name] = set.Value
		}
	}
	return all
}

// steps are what is done. What the kernel must refuse is left out: whether it does
// says nothing of what the lab needs.
func (t trial) steps(s scenarios.Scenario, setting scenarios.Setting) []lab.Step {
	steps := s.Steps(setting)
	for i := range steps {
		steps[i].Refusals = nil
	}
	for _, set := range t.Set {
		if v, ok := s.Variation(set.Name); ok && v.Steps != nil {
			steps = v.Steps(setting, steps, set.Value)
		}
	}
	return steps
}

// settingAlone is the ID of the cause that all of the lab is there, and something of the
// machine was set otherwise than usual. Values has what, as "set".
const settingAlone = "setting-alone"

// setCause is that, where something was set.
func (t trial) setCause() []lab.Cause {
	var set []string
	for _, s := range t.Set {
		set = append(set, s.Name+"="+s.Value)
	}
	if set == nil {
		return nil
	}
	return []lab.Cause{{ID: settingAlone, Values: map[string]string{"set": strings.Join(set, ", ")}}}
}

// label names the trial, in a row.
func (t trial) label(a *app) string {
	if t.nothing() {
		return a.say("whatif.everything")
	}
	var set []string
	for _, s := range t.Set {
		set = append(set, s.Name+"="+s.Value)
	}
	switch {
	case len(t.Set) == 0:
		return a.list(t.Skip)
	case len(t.Skip) == 0:
		return a.list(set)
	}
	return a.fill("whatif.both", "steps", a.list(t.Skip), "set", a.list(set))
}
