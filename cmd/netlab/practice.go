package main

import (
	"context"
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"netlab/lab/journal"
	"netlab/lab/machine"
	"netlab/lab/practice"
	"netlab/lab/progress"
	"netlab/scenarios"
)

// practiceOptions are the flags of `practice [SCENARIO]`.
type practiceOptions struct {
	lab     string
	level   string
	noShell bool
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

// practice begins one, or goes on with it, and lets the learner in.
func (a *app) practice(ctx context.Context, name string, o practiceOptions) error {
	s, ok := scenarios.Named(name)
	if !ok {
		var known []string
		for _, s := range scenarios.All() {
			known = append(known, s.Name)
		}
		return a.unknown("unknown.scenario", name, known, "netlab practice")
	}
	level, err := a.levelOf(o.level)
	if err != nil {
		return err
	}
	if o.lab == "" {
		o.lab = s.Name
	}
	if err := scenarios.CheckLabName(o.lab); err != nil {
		return err
	}
	_, inside, err := machine.Here()
	if err != nil {
		return err
	}
	if inside { // a netlab outside has made the sandbox and sent us
		return a.beginPractice(ctx, s, o.lab, level)
	}
	for {
		again, err := a.practiceOnce(ctx, s, o)
		if err != nil || !again {
			return err
		}
	}
}

// practiceOnce tells whether the learner wants to begin anew.
func (a *app) practiceOnce(ctx context.Context, s scenarios.Scenario, o practiceOptions) (again bool, err error) {
	p, err := find(o.lab)
	switch {
	case err == nil && p.sandbox != nil:
		err = a.enter(ctx, p.sandbox, a.practiceArgs(s.Name, o.lab, o.level)...)
	case err == nil:
		return false, &usageError{Text: a.fill("run.is-on-host", "lab", o.lab), Next: "netlab practice " + s.Name + " --name " + o.lab + "2"}
	case errors.Is(err, fs.ErrNotExist):
		p.lab = o.lab
		p.sandbox, err = a.practiceSandbox(ctx, s.Name, o.lab, o.level)
	}
	if err != nil {
		return false, errors.Join(err, p.close())
	}
	if o.noShell || a.output == "json" || !a.onTerminal() {
		return false, p.close()
	}
	return a.practiceInside(ctx, s, p)
}

// practiceInside lets the learner in, and sees to what is wanted after.
func (a *app) practiceInside(ctx context.Context, s scenarios.Scenario, p place) (again bool, err error) {
	err = a.enter(ctx, p.sandbox, "practice", shellVerb, p.lab)
	var status exitStatus
	if err != nil && !errors.As(err, &status) { // a status is that of the last command typed there
		return false, errors.Join(err, p.close())
	}
	state, err := practice.Load(practiceFile(p))
	if errors.Is(err, fs.ErrNotExist) { // torn down meanwhile
		return false, p.close()
	}
	if err != nil {
		return false, errors.Join(err, p.close())
	}
	quiet := *a
	quiet.quiet = true
	paper := a.paper()
	switch {
	case state.Again:
		return true, quiet.teardownPlace(ctx, p, teardownOptions{})
	case !state.Proven.IsZero():
		if err := quiet.teardownPlace(ctx, p, teardownOptions{}); err != nil {
			return false, err
		}
		paper.prose("", a.say("challenge.taken-down"), nil)
		paper.advice(a.say("challenge.next"), "netlab practice")
		return false, nil
	}
	reached, _ := state.Counts()
	paper.prose("", a.fill("practice.still-up", "reached", strconv.Itoa(reached), "total", strconv.Itoa(len(state.Steps))), nil)
	paper.advice(a.say("challenge.go-on"), "netlab practice "+startOf(s.Name, p.lab))
	paper.advice(a.say("challenge.give-up"), "netlab teardown "+p.lab)
	return false, p.close()
}

// practiceSandbox makes a sandbox with a practice in it. After an error there is none.
func (a *app) practiceSandbox(ctx context.Context, name, lab, level string) (*machine.Sandbox, error) {
	s, err := machine.Start(lab)
	if errors.Is(err, fs.ErrExist) { // started by another netlab meanwhile
		return nil, &journal.BusyError{Lab: lab}
	}
	if err != nil {
		return nil, err
	}
	if err := a.enter(ctx, s, a.practiceArgs(name, lab, level)...); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// practiceArgs is the command that begins a practice inside.
func (a *app) practiceArgs(name, lab, level string) []string {
	return a.again("practice", name, "--name", lab, "--level", level)
}
