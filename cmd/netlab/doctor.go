package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"netlab/lab"
	"netlab/lab/doctor"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/lab/op"
	"netlab/lab/owned"
	"netlab/scenarios"
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor [SCENARIO]",
		Short: a.say("short.doctor"),
		Long:  a.say("long.doctor"),
		Args:  a.noMoreThan(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asked := scenarios.All()
			if len(args) == 1 {
				s, ok := scenarios.Named(args[0])
				if !ok {
					return a.noSuchScenario(cmd, args)
				}
				asked = []scenarios.Scenario{s}
			}
			d, err := a.diagnose(cmd.Context(), asked)
			if err != nil {
				return err
			}
			a.showDiagnosis(d)
			if d.worst() == machine.Stop {
				return exitStatus(exitCannot)
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, s := range scenarios.All() {
				names = append(names, s.Name)
			}
			if len(args) > 0 {
				names = nil
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// tryCommand is the throwaway process that tries the kernel; machine.Try runs it.
func (a *app) tryCommand() *cobra.Command {
	return &cobra.Command{
		Use:    machine.TryVerb,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return machine.RunTrial(a.stdout) },
	}
}

// diagnosis is what doctor has to say.
type diagnosis struct {
	asked   []scenarios.Scenario
	found   []diagnosed
	host    bool // it is about labs on this machine itself, not in a sandbox
	sandbox bool // a sandbox would work
	plan    machine.Plan
}

// diagnosed is a finding, and whose it is: of these scenarios' own names and
// addresses, or, for none, of the machine.
type diagnosed struct {
	machine.Finding
	scenarios []string
}

func (d *diagnosis) worst() machine.Grade {
	worst := machine.OK
	for _, f := range d.found {
		worst = min(worst, f.Grade)
	}
	return worst
}

func (d *diagnosis) count(g machine.Grade) int {
	n := 0
	for _, f := range d.found {
		if f.Grade == g {
			n++
		}
	}
	return n
}

// diagnose looks at what a run would: on this machine itself where this process
// may build labs on it, else in a sandbox, where none of its names matter.
func (a *app) diagnose(ctx context.Context, asked []scenarios.Scenario) (d *diagnosis, err error) {
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	d = &diagnosis{asked: asked}
	var here []scenarios.Scenario
	if allowed, _ := machine.CanUseHost(); allowed {
		here = slices.DeleteFunc(slices.Clone(asked), func(s scenarios.Scenario) bool { return s.Sandboxed })
	}
	d.host = len(here) > 0
	q := doctor.Question{Kernel: k, Files: os.DirFS("/"), Labs: labsDir, Codec: op.Codec{}, Now: a.now(), Root: d.host}
	var free []string
	fresh := map[string]*survey{} // of labs that are not up
	for _, s := range here {
		v, up, err := a.surveyed(k, s)
		if err != nil {
			return nil, err
		}
		if !up {
			fresh[s.Name], q.Own = v, append(q.Own, s.Name)
		}
		d.add([]string{s.Name}, v.found...)
		if len(v.found) == 0 {
			free = append(free, s.Name)
		}
		q.Facts = v.facts
		q.Plan = union(q.Plan, v.plan)
	}
	for _, s := range asked {
		if !slices.ContainsFunc(here, func(h scenarios.Scenario) bool { return h.Name == s.Name }) {
			q.Plan = union(q.Plan, planOf(s, s.Name, s.Defaults(), machine.SandboxFacts()))
		}
	}
	if len(asked) > 1 {
		q.Plan.Again = lab.Command{"netlab", "run", "SCENARIO"}
	}
	x := doctor.Examine(ctx, q)
	d.sandbox, d.plan = x.Sandbox, q.Plan
	d.add(nil, x.Found...)
	if d.worst() != machine.Stop { // as for a run, which stops before it asks
		for _, s := range here {
			if v := fresh[s.Name]; v != nil {
				taken, err := a.taken(k, s, s.Name, v.values, v.plan.Again)
				if err != nil {
					return nil, err
				}
				d.add([]string{s.Name}, taken...)
			}
		}
	}
	if len(free) > 0 {
		d.add(nil, machine.Finding{ID: doctor.NamesFree, Grade: machine.OK, Values: map[string]string{"scenarios": a.list(free)}})
	}
	slices.SortStableFunc(d.found, func(a, b diagnosed) int { return int(b.Grade - a.Grade) })
	return d, nil
}

// surveyed is a survey for a lab of the scenario's own name, and whether one is up.
// That has its names by right: then nothing of its own is in its way.
func (a *app) surveyed(k *kernel.Kernel, s scenarios.Scenario) (v *survey, up bool, err error) {
	_, err = a.labs.Read(s.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, owned.ErrUnsafe): // nothing is believed there, which is a finding
	case err == nil, errors.Is(err, journal.ErrDamaged), errors.Is(err, journal.ErrNewer):
		up = true
	default:
		return nil, false, err
	}
	if v, err = a.survey(k, s, s.Name, s.Defaults()); err != nil || !up {
		return v, up, err
	}
	v.found = slices.DeleteFunc(v.found, func(f machine.Finding) bool {
		own := []string{machine.NamespaceTaken, machine.LinkTaken, machine.SubnetHoldsAddress, machine.SubnetOverlapsRoute}
		return slices.Contains(own, f.ID)
	})
	return v, up, nil
}

// add notes findings, each once: several scenarios may have the same.
func (d *diagnosis) add(of []string, found ...machine.Finding) {
	for _, f := range found {
		same := slices.IndexFunc(d.found, func(o diagnosed) bool {
			// What the kernel can't do is said by two looks, in other words.
			return o.Same(f) || o.ID == f.ID && slices.Contains([]string{machine.NoVeth, machine.NoBridge, doctor.NoNAT}, f.ID)
		})
		if same < 0 {
			d.found = append(d.found, diagnosed{f, of})
			continue
		}
		if len(d.found[same].scenarios) > 0 {
			d.found[same].scenarios = append(d.found[same].scenarios, of...)
		}
	}
}

// union is a plan of several labs: the names and the subnet are the first one's,
// the links are all of them.
func union(p, more machine.Plan) machine.Plan {
	if p.Again == nil {
		return more
	}
	if !p.Subnet.IsValid() || !p.Translates && more.Translates {
		p.Subnet, p.Outside, p.Namespaces = more.Subnet, more.Outside, more.Namespaces
	}
	p.Links = append(slices.Clone(p.Links), more.Links...)
	p.Routes, p.Bridges, p.Translates = p.Routes || more.Routes, p.Bridges || more.Bridges, p.Translates || more.Translates
	return p
}
