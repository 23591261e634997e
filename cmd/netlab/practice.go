package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"netlab/lab/practice"
	"netlab/scenarios"
)

// practiceOptions are the flags of `practice SCENARIO`.
type practiceOptions struct {
	lab     string
	level   string
	noShell bool
	host    bool
	// values are the scenario's, given those that were chosen.
	values, given scenarios.Values
}

func (a *app) practiceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "practice [SCENARIO]",
		Short:   a.say("short.practice"),
		Long:    a.say("long.practice"),
		Example: a.say("example.practice"),
		Args:    a.noSuchScenario,
		RunE:    func(*cobra.Command, []string) error { return a.listPractices() },
	}
	for _, s := range scenarios.All() {
		cmd.AddCommand(a.practiceScenarioCommand(s))
	}
	for _, sub := range []struct {
		name string
		run  func(context.Context, *exercise) error
	}{
		{"hint", a.practiceHint}, {"show", a.practiceShow}, {"check", a.practiceCheck}, {"skip", a.practiceSkip},
		{"solution", a.practiceSolution}, {"reset", a.practiceReset},
		{lookVerb, a.practiceLook}, {shellVerb, a.practiceShell},
	} {
		c := &cobra.Command{
			Use:   sub.name + " [LAB]",
			Short: a.say("short.practice." + sub.name),
			Long:  a.say("long.practice." + sub.name),
			Args:  a.noMoreThan(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				return a.inPractice(cmd.Context(), args, sub.name, sub.run)
			},
		}
		if sub.name == lookVerb || sub.name == shellVerb {
			c.Hidden, c.Short, c.Long = true, "", ""
		}
		cmd.AddCommand(c)
	}
	return cmd
}

func (a *app) practiceScenarioCommand(s scenarios.Scenario) *cobra.Command {
	var o practiceOptions
	cmd := &cobra.Command{
		Use:     s.Name,
		Short:   a.scenarioTitle(s),
		Long:    a.scenarioIntro(s),
		Example: a.fill("example.practice-scenario", "scenario", s.Name),
		Args:    a.noMoreThan(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.values, o.given = chosen(cmd.Flags(), s)
			return a.practice(cmd.Context(), s, o)
		},
	}
	flags := cmd.Flags()
	a.addParams(flags, s)
	flags.StringVar(&o.level, "level", "", a.say("flag.level"))
	flags.StringVar(&o.lab, "name", "", a.say("flag.practice-name"))
	flags.BoolVar(&o.host, "host", false, a.say("flag.host"))
	flags.BoolVar(&o.noShell, "no-shell", false, a.say("flag.practice-no-shell"))
	return cmd
}

// What a practice's own shell runs, and nobody types.
const (
	lookVerb  = "look"
	shellVerb = "shell"
)

// levelOf reads --level. Without it is whatever it was, and at first solo.
func (a *app) levelOf(word string) (practice.Level, error) {
	var known []string
	for _, l := range practice.Levels() {
		if word == string(l) {
			return l, nil
		}
		known = append(known, string(l))
	}
	if word == "" {
		return "", nil
	}
	return "", &usageError{Text: a.fill("practice.no-level", "level", word, "known", strings.Join(known, ", "))}
}
