package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
)

func (a *app) scriptCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "script SCENARIO",
		Short:   a.say("short.script"),
		Long:    a.say("long.script"),
		Example: a.say("example.script"),
		Args:    a.noSuchScenario,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, s := range scenarios.All() {
		var undo bool
		var name string
		c := &cobra.Command{
			Use:   s.Name,
			Short: a.scenarioTitle(s),
			Long:  a.say("long.script"),
			Args:  a.noMoreThan(0),
			RunE: func(cmd *cobra.Command, _ []string) error {
				values, _ := chosen(cmd.Flags(), s)
				return a.script(s, name, values, undo)
			},
		}
		a.addParams(c.Flags(), s)
		c.Flags().BoolVar(&undo, "undo", false, a.say("flag.undo"))
		c.Flags().StringVar(&name, "name", s.Name, a.say("flag.name"))
		cmd.AddCommand(c)
	}
	return cmd
}

func (a *app) script(s scenarios.Scenario, name string, values scenarios.Values, undo bool) (err error) {
	if err := errors.Join(s.Check(values), scenarios.CheckLabName(name)); err != nil {
		return err
	}
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	_, inside, err := machine.Here()
	if err != nil {
		return err
	}
	// A lab that never runs on a host gets no script for one.
	setting, err := a.sketch(k, s, name, values, s.Sandboxed && !inside)
	if err != nil {
		return err
	}
	w, err := a.wordsOf(s)
	if err != nil {
		return err
	}
	filled := s.Words(setting)
	plan := lab.Plan{Lab: name, Scenario: s.Name, Steps: s.Steps(setting)}
	said := lab.ScriptWords{
		Head: []string{s.Name + ": " + scenarios.Fill(w.Title, filled), "", a.say("script.head"), a.fill("script.undo", "scenario", s.Name)},
		Was:  a.say("script.was"),
		Step: func(step lab.Step) string { return scenarios.Fill(w.Steps[step.ID].Title, filled) },
		Refusal: func(step lab.Step, r lab.Refusal) string {
			return scenarios.Fill(w.Steps[step.ID].Refusals[r.ID], filled)
		},
	}
	if s.Sandboxed {
		said.Head = append(said.Head, a.say("script.sandboxed"))
		said.Guard = notOnThisMachine(a.say("script.refused"))
	}
	text := plan.Script(said)
	if undo {
		text = plan.UndoScript(said)
	}
	_, err = fmt.Fprint(a.stdout, text)
	return err
}

// notOnThisMachine is lines of bash that refuse to go on in the network namespace
// of the machine's first process, as `run` refuses it, unless that is forced.
func notOnThisMachine(refused string) []string {
	return []string{
		`if [ "${1-}" != --force ] && [ /proc/self/ns/net -ef /proc/1/ns/net ]; then`,
		`  echo "` + refused + `" >&2`,
		`  exit 1`,
		`fi`,
	}
}
