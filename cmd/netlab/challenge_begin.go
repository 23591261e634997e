package main

import (
	"context"
	"errors"
	"io/fs"
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

func (a *app) listChallenges() error {
	all, err := challenges.All(a.lang)
	if err != nil {
		return err
	}
	known := a.solvedChallenges()
	p := a.paper()
	for _, c := range all {
		r, begun := known[c.Name]
		if a.output == "json" {
			line := jsonChallenge{
				Version: jsonVersion, Type: "challenge", Name: c.Name, Title: c.Words.Title,
				Scenario: c.Scenario.Name, Level: c.Level, Hints: len(c.Hints),
			}
			if begun {
				line.Progress = &r
			}
			a.printJSON(line)
			continue
		}
		mark := "  "
		if r.Solved != nil {
			mark = p.green.Sprint("✓") + " "
		}
		stars := [...]string{"", "*  ", "** ", "***"}[c.Level]
		p.prose(mark+p.bold.Sprintf("%-16s", c.Name)+" "+stars+" ", c.Words.Title, nil)
	}
	if a.output == "text" && !a.quiet {
		p.line("")
		p.prose("", a.fill("challenge.next-list", "count", strconv.Itoa(len(all)), "solved", strconv.Itoa(countSolved(known))), p.dim)
	}
	return nil
}

func countSolved(known map[string]progress.Record) int {
	n := 0
	for _, r := range known {
		if r.Solved != nil {
			n++
		}
	}
	return n
}

// challengeSetting is the lab as it was built. What is read of a machine to plan a
// lab for it must not be read of one that is broken.
func (a *app) challengeSetting(k *kernel.Kernel, c challenges.Challenge, labName string) (scenarios.Setting, error) {
	if c.Iptables {
		if err := iptablesWorks(k); err != nil {
			return scenarios.Setting{}, &cannotError{
				Text: a.fill("challenge.needs-iptables", "challenge", c.Name, "error", err.Error()), Next: "netlab challenge", Err: err,
			}
		}
	}
	setting, err := a.sketch(k, c.Scenario, labName, c.Values(), true)
	if err == nil {
		setting.Facts.IptablesNFT, err = iptablesIsNFT(k)
	}
	return setting, err
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
	state, err := a.labs.Read(labName)
	if err == nil {
		if state.Header.Challenge != c.Name {
			return a.otherChallenge(labName, state.Header)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return a.journalRefused(labName, err)
	} else {
		if err := a.breakLab(ctx, k, c, labName); err != nil {
			return err
		}
		if err := a.beginAttempt(place{lab: labName}, c.Name); err != nil {
			return err
		}
	}
	setting, err := a.challengeSetting(k, c, labName)
	if err != nil {
		return err
	}
	a.tellSymptom(c, setting)
	return nil
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
func (a *app) breakLab(ctx context.Context, k *kernel.Kernel, c challenges.Challenge, labName string) (err error) {
	setting, err := a.challengeSetting(k, c, labName)
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
	r := a.runner(k, machine.KindSandbox, view)
	plan := lab.Plan{Lab: labName, Scenario: c.Scenario.Name, Params: setting.Values, Steps: steps}
	if err := r.Run(ctx, plan, j, lab.Options{NoBefore: true}); err != nil {
		return errors.Join(shown(err), r.Teardown(context.WithoutCancel(ctx), j))
	}
	return nil
}

// buildView shows what goes wrong, and as JSON all but what breaks the lab.
func (a *app) buildView(c challenges.Challenge, setting scenarios.Setting) (func(lab.Event), error) {
	quiet := *a
	quiet.quiet = true
	view, err := quiet.view(c.Scenario, setting, false)
	return func(e lab.Event) {
		if !challenges.BreaksIn(e.Step) {
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
	p.prose("", a.fill("challenge.built-from", "scenario", c.Scenario.Name, "level", strconv.Itoa(c.Level)), p.dim)
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
