package main

import (
	"context"
	"errors"
	"io/fs"

	"netlab/lab/journal"
	"netlab/lab/owned"
	"netlab/lab/practice"
	"netlab/lab/progress"
	"netlab/scenarios"
)

// beginPractice begins a practice here, or goes on with it, and says where it stands.
func (a *app) beginPractice(ctx context.Context, s scenarios.Scenario, labName string, level practice.Level) (err error) {
	lock, err := a.lockExercise(labName)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	x := &exercise{scenario: s, lab: labName, place: place{lab: labName}}
	state, err := a.labs.Read(labName)
	begun := err == nil
	switch {
	case begun && (!state.Header.Practice || state.Header.Scenario != s.Name):
		return a.otherPractice(labName, state.Header)
	case begun:
		err = a.openExercise(x)
	case errors.Is(err, fs.ErrNotExist):
		err = a.newExercise(x, level)
	default:
		err = a.journalRefused(labName, err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.kernel.Close()) }()
	if begun {
		x.state.Resume(a.now())
	}
	if level != "" {
		x.state.Level = level
	}
	a.record(x, func(r *progress.Record) {
		if begun {
			r.Last.Level = string(x.state.Level)
			return
		}
		r.Begin(a.now(), string(x.state.Level))
	})
	return a.welcome(ctx, x, begun)
}

// otherPractice is the error for a lab of that name that is something else.
func (a *app) otherPractice(labName string, h journal.Header) error {
	if h.Challenge != "" {
		return a.otherChallenge(labName, h)
	}
	key := "practice.is-run"
	if h.Practice {
		key = "run.other-scenario"
	}
	return &usageError{Text: a.fill(key, "lab", labName, "scenario", h.Scenario), Next: "netlab teardown " + labName}
}

// newExercise writes down that there is a practice, and its first state.
func (a *app) newExercise(x *exercise, level practice.Level) error {
	if level == "" {
		level = practice.Solo
	}
	if err := a.planExercise(x); err != nil {
		return err
	}
	space, err := hostSpace()
	if err != nil {
		return errors.Join(err, x.kernel.Close())
	}
	var ids []string
	for _, step := range x.plan.Steps {
		ids = append(ids, step.ID)
	}
	x.state = practice.New(level, space, ids, a.now())
	err = owned.MakeDirs(practiceDir)
	if err == nil {
		err = x.state.Save(practiceFile(x.place))
	}
	if err == nil {
		var j *journal.Journal
		j, err = a.labs.Create(journal.Header{
			Lab: x.lab, Scenario: x.scenario.Name, Params: x.setting.Values, Created: a.now(), Practice: true,
		})
		if err == nil {
			err = j.Close()
		}
	}
	if err != nil {
		return errors.Join(err, x.kernel.Close())
	}
	return nil
}

// record keeps how it stands with the user's progress, after a change of its own.
func (a *app) record(x *exercise, change func(*progress.Record)) {
	a.remember(progress.Practice, x.scenario.Name, func(r *progress.Record) {
		if change != nil {
			change(r)
		} else if r.Attempts == 0 { // begun by a netlab that could not keep it
			r.Begin(x.state.Steps[0].Begun, string(x.state.Level))
		}
		if r.Last.Won != nil {
			return
		}
		r.Last.Tries, r.Last.Hints = x.state.Sum()
		r.Last.Away = x.state.Away
		r.Last.Shown = x.state.Helped()
		if !x.state.Proven.IsZero() {
			r.Win(x.state.Proven)
		}
	})
}
