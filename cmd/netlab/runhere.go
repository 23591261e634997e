package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// runInSandbox runs the same command inside, in a sandbox that is made first if
// need be, and ended after if no lab is left in it.
func (a *app) runInSandbox(ctx context.Context, s scenarios.Scenario, o runOptions, values scenarios.Values, in *machine.Sandbox) error {
	if in == nil {
		var err error
		if in, err = a.startSandbox(ctx, o.lab, planOf(s, o.lab, values, machine.SandboxFacts())); err != nil {
			return err
		}
	}
	err := a.enter(ctx, in, a.args...)
	labs, labsErr := place{sandbox: in}.dir().Labs()
	if labsErr == nil && len(labs) == 0 {
		return errors.Join(err, in.Stop())
	}
	return errors.Join(err, labsErr, in.Close())
}

// runHere runs the scenario on the machine that this process sees.
func (a *app) runHere(ctx context.Context, s scenarios.Scenario, o runOptions, values, given scenarios.Values, inside bool) (err error) {
	kept, err := openTranscript(o.transcript)
	if err != nil {
		return err
	}
	if err := a.roomForState(s, o.lab, true); err != nil {
		return err
	}
	dir := a.labs
	lock, err := dir.Lock(o.lab)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()

	var notes []lab.Note
	j, err := dir.Open(o.lab)
	switch {
	case err == nil:
		values, err = a.resumed(s, j, given)
	case errors.Is(err, fs.ErrNotExist):
		values, notes, j, err = a.begin(ctx, k, dir, s, o, values)
	default:
		err = a.journalRefused(o.lab, err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	setting, err := a.setting(k, s, o.lab, values)
	if err != nil {
		return err
	}
	plan := lab.Plan{Lab: o.lab, Scenario: s.Name, Params: values, Steps: s.Steps(setting), Notes: notes, Explain: explain(s, setting)}
	x, err := a.perform(k, s, setting, plan, o, kept)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.close()) }()
	r := a.runner(k, place{}.kind(inside), x.view)
	options := lab.Options{Until: atOrBefore(s, plan.Steps, o.until), NoBefore: o.noBefore}
	if x.led != nil {
		x.led.runner, x.led.journal, options.Gate = r, j, x.led
	}
	if from := atOrAfter(s, plan.Steps, o.from); from != "" {
		err = shown(r.Rewind(ctx, plan, j, from))
	}
	if err == nil {
		err = shown(r.Run(ctx, plan, j, options))
	}
	if o.teardown {
		if a.output == "text" && !a.quiet {
			fmt.Fprintln(a.stdout)
		}
		done := a.askPatience()
		err = errors.Join(err, shown(r.Teardown(context.WithoutCancel(ctx), j)))
		done()
	}
	return err
}

// begin makes sure that nothing is in the way of a new lab, and only then
// writes its journal. The notes are what may surprise on this machine.
func (a *app) begin(ctx context.Context, k *kernel.Kernel, dir journal.Dir, s scenarios.Scenario, o runOptions, values scenarios.Values) (scenarios.Values, []lab.Note, *journal.Journal, error) {
	values, warned, err := a.resolve(ctx, k, s, o.lab, values, runCommand(s, o.lab, values), nil)
	if err != nil {
		return nil, nil, nil, err
	}
	j, err := dir.Create(journal.Header{Lab: o.lab, Scenario: s.Name, Params: values, Created: a.now()})
	return values, notesOf(warned), j, err
}

// notesOf are findings as what is said before a lab is built.
func notesOf(found []machine.Finding) []lab.Note {
	var notes []lab.Note
	for _, f := range found {
		notes = append(notes, lab.Note{ID: f.ID, Values: f.Values, Command: f.Remedy})
	}
	return notes
}

// resumed are the values that a lab was begun with. Others that are given now
// can't be followed: what is done, is done.
func (a *app) resumed(s scenarios.Scenario, j *journal.Journal, given scenarios.Values) (scenarios.Values, error) {
	if j.Header.Challenge != "" { // a run would take what is broken for a failure
		return nil, errors.Join(a.otherChallenge(j.Header.Lab, j.Header), j.Close())
	}
	if j.Header.Practice { // and what was built by hand for somebody else's
		return nil, errors.Join(&usageError{
			Text: a.fill("practice.no-run", "lab", j.Header.Lab), Next: startOf("practice", j.Header.Scenario, j.Header.Lab).String(),
		}, j.Close())
	}
	if j.Header.Scenario != s.Name {
		return nil, errors.Join(&usageError{
			Text: a.fill("run.other-scenario", "lab", j.Header.Lab, "scenario", j.Header.Scenario),
			Next: "netlab teardown " + j.Header.Lab,
		}, j.Close())
	}
	values, err := a.asBegun(s, j.Header, given)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return values, nil
}

// asBegun are the values that a lab was begun with; an error, where others are given now.
func (a *app) asBegun(s scenarios.Scenario, h journal.Header, given scenarios.Values) (scenarios.Values, error) {
	values := s.Defaults()
	for name := range values {
		if was, ok := h.Params[name]; ok {
			values[name] = was
		}
		if now, ok := given[name]; ok && now != values[name] && (name != "nat" || now != "auto") {
			return nil, &usageError{
				Text: a.fill("run.other-value", "lab", h.Lab, "param", name, "was", values[name], "now", now),
				Next: "netlab teardown " + h.Lab,
			}
		}
	}
	return values, s.Check(values) // no netlab has written what that refuses
}

// legible tells whether enough of a damaged journal can be read to salvage it.
func (a *app) legible(lab string) bool {
	s, err := a.labs.Read(lab)
	return err == nil || s != nil && s.Header.Version > 0
}

// journalRefused says what to do about a journal that can't be used.
func (a *app) journalRefused(lab string, err error) error {
	switch {
	case errors.Is(err, journal.ErrDamaged) && !a.legible(lab):
		return &usageError{Text: err.Error() + "; " + a.say("journal.no-header")}
	case errors.Is(err, journal.ErrDamaged):
		return &usageError{Text: a.fill("journal.damaged", "error", err.Error()), Next: "netlab teardown " + lab + " --salvage"}
	case errors.Is(err, journal.ErrNewer):
		return &usageError{Text: a.fill("journal.newer", "error", err.Error())}
	}
	return err
}
