package main

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strconv"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/lab/progress"
	"netlab/scenarios"
	"netlab/scenarios/challenges"
)

// jsonChallenge is a challenge as one line of JSON.
type jsonChallenge struct {
	Version  int              `json:"v"`
	Type     string           `json:"type"` // "challenge"
	Name     string           `json:"challenge"`
	Title    string           `json:"title"`
	Scenario string           `json:"scenario"`
	Level    int              `json:"level"`
	Hints    int              `json:"hints"`
	Lab      string           `json:"lab,omitempty"`
	Symptom  string           `json:"symptom,omitempty"`
	Progress *progress.Record `json:"progress,omitempty"`
}

// challengeSetting is the lab as it was built. What is read of a machine to plan a
// lab for it must not be read of one that is broken.
func (a *app) challengeSetting(k *kernel.Kernel, c challenges.Challenge, labName string, values scenarios.Values) (scenarios.Setting, error) {
	if err := a.haveIptables(k, c); err != nil {
		return scenarios.Setting{}, err
	}
	setting, err := a.exerciseSetting(k, c.Scenario, labName, labName, values)
	if err == nil {
		setting.Facts.IptablesNFT, err = iptablesIsNFT(k)
	}
	return setting, err
}

func (a *app) haveIptables(k *kernel.Kernel, c challenges.Challenge) error {
	if !c.Iptables {
		return nil
	}
	if err := iptablesWorks(k); err != nil {
		return &cannotError{
			Text: a.fill("challenge.needs-iptables", "challenge", c.Name, "error", err.Error()), Next: "netlab challenge", Err: err,
		}
	}
	return nil
}

// beginChallenge builds the lab here and breaks it, if that is not done yet, and
// tells the symptom.
func (a *app) beginChallenge(ctx context.Context, c challenges.Challenge, labName string) (err error) {
	lock, err := a.lockExercise(labName)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	values, begun := c.Values(), false
	state, err := a.labs.Read(labName)
	switch {
	case err == nil && state.Header.Challenge != c.Name:
		return a.otherChallenge(labName, state.Header)
	case err == nil:
		values = maps(values, state.Header.Params)
		if begun, err = a.broken(ctx, k, c, state, values); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return a.journalRefused(labName, err)
	}
	if !begun {
		if err := a.newChallenge(ctx, k, c, labName); err != nil {
			return err
		}
		if state, err = a.labs.Read(labName); err != nil {
			return err
		}
		values = maps(values, state.Header.Params)
	}
	setting, err := a.challengeSetting(k, c, labName, values)
	if err != nil {
		return err
	}
	a.tellSymptom(c, setting)
	return nil
}

// broken tells whether a challenge that was begun was built and broken to the end. What
// was stopped before is undone.
func (a *app) broken(ctx context.Context, k *kernel.Kernel, c challenges.Challenge, state *journal.State, values scenarios.Values) (bool, error) {
	labName := state.Header.Lab
	setting, err := a.challengeSetting(k, c, labName, values)
	if err != nil {
		return false, err
	}
	steps, err := c.Steps(setting)
	if err != nil {
		return false, err
	}
	if _, done := state.Steps[steps[len(steps)-1].ID]; done {
		return true, nil
	}
	_, inside, err := machine.Here()
	if err != nil {
		return false, err
	}
	j, err := a.labs.Open(labName)
	if err != nil {
		return false, a.journalRefused(labName, err)
	}
	return false, errors.Join(shown(a.runner(k, place{}.kind(inside), a.quietly().undoView()).Teardown(ctx, j)), j.Close())
}

// newChallenge builds a lab and breaks it, on this machine only where nothing is in the
// way.
func (a *app) newChallenge(ctx context.Context, k *kernel.Kernel, c challenges.Challenge, labName string) error {
	_, inside, err := machine.Here()
	if err != nil {
		return err
	}
	values, notes := c.Values(), []lab.Note(nil)
	if !inside {
		if err := a.haveIptables(k, c); err != nil {
			return err
		}
		instead := startOf("challenge", c.Name, labName)
		again := append(slices.Clone(instead), "--host")
		if values, notes, err = a.layHostSide(ctx, k, c.Scenario, labName, values, again, instead); err != nil {
			return err
		}
	}
	if err := a.breakLab(ctx, k, c, labName, inside, values, notes); err != nil {
		return err
	}
	return a.beginAttempt(place{lab: labName}, c.Name)
}

// otherChallenge is the error for a lab of that name that is something else.
func (a *app) otherChallenge(labName string, h journal.Header) error {
	is := h.Challenge
	if is == "" {
		is = h.Scenario
	}
	return &usageError{Text: a.fill("run.other-scenario", "lab", labName, "scenario", is), Next: "netlab teardown " + labName}
}

// breakLab builds a challenge's lab and breaks it. After an error nothing is left.
func (a *app) breakLab(ctx context.Context, k *kernel.Kernel, c challenges.Challenge, labName string, inside bool, values scenarios.Values, notes []lab.Note) (err error) {
	setting, err := a.challengeSetting(k, c, labName, values)
	if err != nil {
		return err
	}
	steps, err := c.Steps(setting)
	if err != nil {
		return err
	}
	j, err := a.labs.Create(journal.Header{
		Lab: labName, Scenario: c.Scenario.Name, Params: setting.Values, Created: a.now(), Challenge: c.Name,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	view, err := a.buildView(c, setting)
	if err != nil {
		return err
	}
	r := a.runner(k, place{}.kind(inside), view)
	plan := lab.Plan{Lab: labName, Scenario: c.Scenario.Name, Params: setting.Values, Steps: steps, Notes: notes}
	if err := r.Run(ctx, plan, j, lab.Options{NoBefore: true}); err != nil {
		return errors.Join(shown(err), r.Teardown(context.WithoutCancel(ctx), j))
	}
	return nil
}

// buildView shows what goes wrong, and as JSON all but what breaks the lab.
func (a *app) buildView(c challenges.Challenge, setting scenarios.Setting) (func(lab.Event), error) {
	view, err := a.quietly().view(c.Scenario, setting, false)
	if err != nil {
		return nil, err
	}
	loud, err := a.view(c.Scenario, setting, false)
	return func(e lab.Event) {
		switch {
		case challenges.BreaksIn(e.Step):
		case e.Type == lab.NoteSaid && e.Step == "": // of the machine
			loud(e)
		default:
			view(e)
		}
	}, err
}

func (a *app) tellSymptom(c challenges.Challenge, setting scenarios.Setting) {
	if a.output == "json" {
		a.printJSON(jsonChallenge{
			Version: jsonVersion, Type: "challenge", Name: c.Name, Title: c.Words.Title, Scenario: c.Scenario.Name,
			Level: c.Level, Hints: len(c.Hints), Lab: setting.Lab, Symptom: spaced(c.Fill(c.Words.Symptom, setting)),
		})
		return
	}
	p := a.paper()
	p.prose("", p.bold.Sprint(c.Name)+" · "+c.Words.Title, nil)
	key := "challenge.built-from"
	if _, inside, err := machine.Here(); err == nil && !inside {
		key = "challenge.built-on-host"
	}
	p.prose("", a.fill(key, "scenario", c.Scenario.Name, "level", strconv.Itoa(c.Level), "command", unbroken("netlab teardown "+setting.Lab)), p.dim)
	p.line("")
	p.paragraphs(indent, c.Fill(c.Words.Symptom, setting))
	p.line("")
	p.prose("", c.Fill(a.say("challenge.how"), setting), nil)
	p.rows([][2]string{
		{"netlab diagram", a.say("challenge.diagram")},
		{"netlab challenge hint", a.say("short.challenge.hint")},
		{"netlab challenge check", a.say("short.challenge.check")},
		{"netlab challenge solution", a.say("short.challenge.solution")},
	})
}
