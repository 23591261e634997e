package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"netlab/lab/practice"
	"netlab/lab/progress"
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

func (a *app) listPractices() error {
	known, p := a.practised(), a.paper()
	solved, open := 0, 0
	for _, s := range scenarios.All() {
		r, begun := known[s.Name]
		if a.output == "json" {
			line := jsonPractice{Version: jsonVersion, Type: "practice", Scenario: s.Name, Title: a.scenarioTitle(s), Total: len(stepIDs(s))}
			if begun {
				line.Progress = &r
			}
			a.printJSON(line)
			continue
		}
		if r.Solved != nil {
			solved++
		}
		open += notSolved(r, begun)
		p.prose(a.standing(r, begun)+p.bold.Sprintf("%-10s", s.Name)+" ", a.scenarioTitle(s), nil)
	}
	if a.output == "text" && !a.quiet {
		p.line("")
		p.prose("", a.fill("practice.next-list", "count", strconv.Itoa(len(scenarios.All())), "solved", strconv.Itoa(solved)), p.dim)
		if open > 0 {
			p.prose("", a.fill("exercise.begun-list", "count", strconv.Itoa(open)), p.dim)
		}
	}
	return nil
}

// standing is the mark of an exercise in a list: solved, begun, or neither.
func (a *app) standing(r progress.Record, begun bool) string {
	switch {
	case r.Solved != nil:
		return a.paper().green.Sprint("✓") + " "
	case begun:
		return "→ "
	}
	return "  "
}

// notSolved is 1 for an exercise that was begun and never solved.
func notSolved(r progress.Record, begun bool) int {
	if begun && r.Solved == nil {
		return 1
	}
	return 0
}

// practised is what is known of each scenario's practice, by its name.
func (a *app) practised() map[string]progress.Record {
	known := map[string]progress.Record{}
	s, err := progressStore()
	if err != nil {
		return known
	}
	records, _ := s.Records() // where they can't be read, nothing is known
	for _, r := range records {
		if r.Kind == progress.Practice {
			known[r.Name] = r
		}
	}
	return known
}
