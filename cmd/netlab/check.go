package main

import (
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
)

func (a *app) checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "check [LAB]",
		Short:   a.say("short.check"),
		Long:    a.say("long.check"),
		Example: a.say("example.check"),
		Args:    a.noMoreThan(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				p, err := a.only()
				if err != nil {
					return err
				}
				return a.checkLab(cmd, p)
			}
			p, err := find(args[0])
			if err == nil {
				return a.checkLab(cmd, p)
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			p, err = a.named(args[0])
			if err != nil {
				return err
			}
			return a.checkLab(cmd, p)
		},
	}
	for _, s := range scenarios.All() {
		c := &cobra.Command{
			Use:   s.Name,
			Short: a.fill("short.check-scenario", "scenario", s.Name),
			Args:  a.noMoreThan(0),
			RunE: func(cmd *cobra.Command, _ []string) error {
				values, _ := chosen(cmd.Flags(), s)
				p, err := find(s.Name)
				if err == nil {
					return a.checkLab(cmd, p)
				}
				if !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				return a.checkByHand(cmd, s, values)
			},
		}
		a.addParams(c.Flags(), s)
		cmd.AddCommand(c)
	}
	return cmd
}

// checkLab checks a lab that netlab has built.
func (a *app) checkLab(cmd *cobra.Command, p place) (err error) {
	if p.sandbox != nil {
		defer func() { err = errors.Join(err, p.sandbox.Close()) }()
		return a.enter(cmd.Context(), p.sandbox, a.args...)
	}
	state, err := journal.At(labsDir).Read(p.lab)
	if err != nil {
		return a.journalRefused(p.lab, err)
	}
	if state.Header.Practice {
		return a.inPractice(cmd.Context(), []string{p.lab}, "check", a.practiceCheck)
	}
	if state.Header.Challenge != "" { // what each step lacks is what the learner is to find out
		return a.inChallenge(cmd, []string{p.lab}, "check", a.challengeCheck)
	}
	s, err := a.scenarioOf(state.Header)
	if err != nil {
		return err
	}
	values := maps(s.Defaults(), state.Header.Params)
	if err := s.Check(values); err != nil { // no netlab has written that
		return err
	}
	steps := state.Steps // the rest is not kept
	return a.check(cmd, s, p.lab, values, func(step string) bool {
		_, done := steps[step]
		return done
	})
}

// checkByHand checks what someone else has built, by whatever means.
func (a *app) checkByHand(cmd *cobra.Command, s scenarios.Scenario, values scenarios.Values) error {
	if err := s.Check(values); err != nil {
		return err
	}
	if allowed, missing := machine.CanUseHost(); !allowed {
		return a.denied(missing, "sudo netlab check "+s.Name, "check.by-hand-needs-root")
	}
	here, inside, err := machine.Here()
	if err != nil {
		return err
	}
	if inside { // a challenge's host is not by hand, and here too nothing is told
		if state, err := journal.At(labsDir).Read(here.Name); err == nil && state.Header.Challenge != "" {
			return a.inChallenge(cmd, []string{here.Name}, "check", a.challengeCheck)
		}
	}
	return a.check(cmd, s, "", values, nil)
}

func (a *app) check(cmd *cobra.Command, s scenarios.Scenario, labName string, values scenarios.Values, done func(string) bool) (err error) {
	_, inside, err := machine.Here()
	if err != nil {
		return err
	}
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	setting, err := a.sketch(k, s, labName, values, false)
	if err != nil {
		return err
	}
	view, err := a.view(s, setting, false)
	if err != nil {
		return err
	}
	plan := lab.Plan{Lab: s.Name, Scenario: s.Name, Params: values, Steps: s.Steps(setting), Explain: explain(s, setting)}
	if labName != "" {
		plan.Lab = labName
	}
	return shown(a.runner(k, place{}.kind(inside), view).Check(cmd.Context(), plan, done))
}
