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
	cmd := &cobra.Command{
		Use:   "doctor [SCENARIO]",
		Short: a.say("short.doctor"),
		Long:  a.say("long.doctor"),
		Args:  a.noSuchScenario,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []candidate
			for _, s := range scenarios.All() {
				all = append(all, candidate{s, s.Name, s.Defaults()})
			}
			return a.doctor(cmd.Context(), all...)
		},
	}
	for _, s := range scenarios.All() {
		of := candidate{Scenario: s}
		c := &cobra.Command{
			Use:   s.Name,
			Short: a.fill("short.doctor-scenario", "scenario", s.Name),
			Args:  a.noMoreThan(0),
			RunE: func(cmd *cobra.Command, _ []string) error {
				of.values, _ = chosen(cmd.Flags(), s)
				if err := errors.Join(s.Check(of.values), scenarios.CheckLabName(of.lab)); err != nil {
					return err
				}
				return a.doctor(cmd.Context(), of)
			},
		}
		a.addParams(c.Flags(), s)
		c.Flags().StringVar(&of.lab, "name", s.Name, a.say("flag.name"))
		cmd.AddCommand(c)
	}
	return cmd
}

// candidate is a lab that a run with the same flags would begin.
type candidate struct {
	scenarios.Scenario
	lab    string
	values scenarios.Values
}

func (a *app) doctor(ctx context.Context, asked ...candidate) error {
	d, err := a.diagnose(ctx, asked)
	if err != nil {
		return err
	}
	a.showDiagnosis(d)
	if d.worst() == machine.Stop {
		return exitStatus(exitCannot)
	}
	return nil
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
	asked   []candidate
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
func (a *app) diagnose(ctx context.Context, asked []candidate) (d *diagnosis, err error) {
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	d = &diagnosis{asked: asked}
	var here []candidate
	if allowed, _ := machine.CanUseHost(); allowed {
		here = slices.DeleteFunc(slices.Clone(asked), func(c candidate) bool { return c.Sandboxed })
	}
	d.host = len(here) > 0
	q := doctor.Question{Kernel: k, Files: os.DirFS("/"), Labs: labsDir, Codec: op.Codec{}, Now: a.now(), Root: d.host}
	var free []string
	fresh := map[string]*survey{} // of labs that are not up
	for _, c := range here {
		v, up, err := a.surveyed(k, c)
		if err != nil {
			return nil, err
		}
		if !up {
			fresh[c.Name], q.Own = v, append(q.Own, c.lab)
		}
		d.add([]string{c.Name}, v.found...)
		if len(v.found) == 0 {
			free = append(free, c.Name)
		}
		q.Facts = v.facts
		q.Plan = union(q.Plan, v.plan)
	}
	for _, c := range asked {
		if !slices.ContainsFunc(here, func(h candidate) bool { return h.Name == c.Name }) {
			q.Plan = union(q.Plan, planOf(c.Scenario, c.lab, c.values, machine.SandboxFacts()))
		}
	}
	if len(asked) > 1 {
		q.Plan.Again = lab.Command{"netlab", "run", "SCENARIO"}
	}
	x := doctor.Examine(ctx, q)
	d.sandbox, d.plan = x.Sandbox, q.Plan
	d.add(nil, x.Found...)
	if d.worst() != machine.Stop { // as for a run, which stops before it asks
		for _, c := range here {
			if v := fresh[c.Name]; v != nil {
				taken, err := a.taken(ctx, k, c.Scenario, c.lab, v.values, v.plan.Again)
				if err != nil {
					return nil, err
				}
				d.add([]string{c.Name}, taken...)
			}
		}
	}
	if len(free) > 0 {
		d.add(nil, machine.Finding{ID: doctor.NamesFree, Grade: machine.OK, Values: map[string]string{"scenarios": a.list(free)}})
	}
	slices.SortStableFunc(d.found, func(a, b diagnosed) int { return int(b.Grade - a.Grade) })
	return d, nil
}

// surveyed is a survey for a lab, and whether one of its name is up. That has its
// names by right: then nothing of its own is in its way.
func (a *app) surveyed(k *kernel.Kernel, c candidate) (v *survey, up bool, err error) {
	_, err = a.labs.Read(c.lab)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, owned.ErrUnsafe): // nothing is believed there, which is a finding
	case err == nil, errors.Is(err, journal.ErrDamaged), errors.Is(err, journal.ErrNewer):
		up = true
	default:
		return nil, false, err
	}
	if v, err = a.survey(k, c.Scenario, c.lab, c.values, runCommand(c.Scenario, c.lab, c.values), nil); err != nil || !up {
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
			return o.Same(f) || o.ID == f.ID && slices.Contains([]string{machine.NoVeth, machine.NoBridge, doctor.NoNAT, doctor.NoXtTarget}, f.ID)
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
