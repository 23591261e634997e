package main

import (
	"errors"
	"os"

	"golang.org/x/term"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/owned"
	"netlab/scenarios"
)

// performance is how a run is shown: a view, and perhaps a stepper that leads
// through it and a transcript that keeps it.
type performance struct {
	view func(lab.Event)
	led  *stepper // nil: nobody leads
	kept *transcript
}

// checkStepFlags refuses what step mode can't do, before anything is changed.
func (a *app) checkStepFlags(o runOptions) error {
	switch {
	case o.auto != 0 && !o.step:
		return &usageError{Text: a.say("step.auto-alone")}
	case o.auto < 0:
		return &usageError{Text: a.say("step.auto-negative")}
	case o.step && a.quiet:
		return &usageError{Text: a.say("step.no-quiet")}
	case o.step && a.output == "json":
		return &usageError{Text: a.say("step.no-json")}
	case o.step && o.auto == 0 && !a.onTerminal() && !o.dryRun:
		return &usageError{Text: a.say("step.needs-terminal"), Next: "netlab run SCENARIO --step --auto 3s"}
	}
	return nil
}

// onTerminal tells whether keys can be read, and what is printed is seen.
func (a *app) onTerminal() bool {
	in, isFile := a.stdin.(*os.File)
	out, isFile2 := a.stdout.(*os.File)
	return isFile && isFile2 && term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(out.Fd()))
}

// perform opens what the flags ask for. file is the transcript's, or nil.
func (a *app) perform(k *kernel.Kernel, s scenarios.Scenario, setting scenarios.Setting, plan lab.Plan, o runOptions, file *owned.File) (*performance, error) {
	text, err := a.textView(s, setting, o.teardown)
	if err != nil {
		return nil, err
	}
	x := &performance{view: text.show}
	if a.output == "json" {
		x.view = a.jsonView()
	}
	if file != nil {
		x.kept = &transcript{file: file, view: text}
	}
	if o.step {
		keys := &keyboard{}
		if a.onTerminal() {
			if keys, err = openKeyboard(a.stdin.(*os.File)); err != nil {
				return nil, err
			}
		}
		x.led = newStepper(a, text, keys, o.auto)
		x.led.plan, x.led.facts, x.led.kept, text.led = plan, setting.Facts, x.kept, true
		x.view = x.led.show
	}
	if o.picture && a.output == "text" {
		x.view = a.drawing(x.view, text.paper, setting.Facts, plan.Steps, k)
	}
	x.view = x.kept.also(x.view)
	return x, nil
}

// drawing is a view that draws the picture after each step that is done.
func (a *app) drawing(view func(lab.Event), p *paper, facts lab.Facts, steps []lab.Step, k *kernel.Kernel) func(lab.Event) {
	return func(e lab.Event) {
		view(e)
		if e.Type != lab.StepEnd || e.Phase != "" {
			return
		}
		if err := a.drawAfter(p, facts, steps, e.Index-1, k); err != nil {
			p.line(err.Error())
		}
	}
}

// close gives the terminal back and ends the transcript.
func (x *performance) close() error {
	var err error
	if x.led != nil {
		err = x.led.keys.give()
	}
	return errors.Join(err, x.kept.close())
}
