package main

import (
	"context"

	"netlab/lab/practice"
)

// practiceSolution prints what is left to do, as commands. No step that it shows counts
// as the learner's own.
func (a *app) practiceSolution(ctx context.Context, x *exercise) error {
	v, _, err := a.look(ctx, x, practice.Own)
	if err != nil {
		return err
	}
	w := x.view
	if v.Missing == nil {
		w.prose("", a.say("practice.nothing-left"), nil)
		return nil
	}
	x.state.Show()
	if err := a.keep(x); err != nil {
		return err
	}
	a.record(x, nil)
	for i, step := range x.plan.Steps {
		if i < v.Next {
			continue
		}
		var commands []string
		for m := range step.Outstanding(x.kernel) {
			commands = append(commands, m.Op.Command().String())
		}
		if x.state.Reached(step.ID) && len(commands) == 0 {
			continue
		}
		if a.output == "json" {
			a.printPracticeHint(x, jsonPracticeHint{Type: "solution", Step: step.ID, Index: i + 1, Total: len(x.plan.Steps), Commands: commands})
			continue
		}
		w.title(i+1, len(x.plan.Steps), step.ID)
		for _, c := range commands {
			w.command(indent, c)
		}
		if len(commands) == 0 {
			w.prose(indent, a.say("practice.no-command"), w.dim)
		}
	}
	if a.output == "text" {
		w.line("")
		w.prose("", a.say("practice.after-solution"), w.dim)
	}
	return nil
}

// practiceSkip does what is left of the next step.
func (a *app) practiceSkip(ctx context.Context, x *exercise) error {
	v, _, err := a.look(ctx, x, practice.Own)
	if err != nil {
		return err
	}
	w := x.view
	if v.Missing == nil {
		w.prose("", a.say("practice.nothing-left"), nil)
		return nil
	}
	did := false
	for m := range stepOf(x, v.Missing.Step).Outstanding(x.kernel) {
		did = true
		if a.output == "text" && !a.quiet {
			w.command(indent, m.Op.Command().String())
		}
		if err := m.Op.Apply(x.kernel); err != nil {
			return &usageError{Text: a.fill("practice.skip-failed", "command", unbroken(m.Op.Command().String()), "error", err.Error()), Next: "reset"}
		}
	}
	if !did { // all of it is there, and something else is in the way
		return &usageError{Text: a.fill("practice.cannot-skip", "step", v.Missing.Step, "missing", a.lacks(x, *v.Missing)), Next: "hint"}
	}
	after, news, err := a.look(ctx, x, practice.Skipped)
	if err != nil {
		return err
	}
	a.record(x, nil)
	if a.output == "json" {
		return a.tellJSON(ctx, x, after)
	}
	a.tellVerdictOf(x, after, news, false)
	return nil
}
