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

// practiceOptions are the flags of `practice [SCENARIO]`.
type practiceOptions struct {
	lab     string
	level   string
	noShell bool
	host    bool
}

func (a *app) practiceCommand() *cobra.Command {
	var o practiceOptions
	cmd := &cobra.Command{
		Use:     "practice [SCENARIO]",
		Short:   a.say("short.practice"),
		Long:    a.say("long.practice"),
		Example: a.say("example.practice"),
		Args:    a.noMoreThan(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listPractices()
			}
			return a.practice(cmd.Context(), args[0], o)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) (all []cobra.Completion, _ cobra.ShellCompDirective) {
			for _, s := range scenarios.All() {
				all = append(all, cobra.CompletionWithDesc(s.Name, a.scenarioTitle(s)))
			}
			return all, cobra.ShellCompDirectiveNoFileComp
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.level, "level", "", a.say("flag.level"))
	flags.StringVar(&o.lab, "name", "", a.say("flag.practice-name"))
	flags.BoolVar(&o.host, "host", false, a.say("flag.host"))
	flags.BoolVar(&o.noShell, "no-shell", false, a.say("flag.practice-no-shell"))
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
	solved := 0
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
		mark := "  "
		if r.Solved != nil {
			mark = p.green.Sprint("✓") + " "
			solved++
		}
		p.prose(mark+p.bold.Sprintf("%-10s", s.Name)+" ", a.scenarioTitle(s), nil)
	}
	if a.output == "text" && !a.quiet {
		p.line("")
		p.prose("", a.fill("practice.next-list", "count", strconv.Itoa(len(scenarios.All())), "solved", strconv.Itoa(solved)), p.dim)
	}
	return nil
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
