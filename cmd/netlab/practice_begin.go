package main

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/lab/owned"
	"netlab/lab/practice"
	"netlab/lab/progress"
	"netlab/scenarios"
)

// beginPractice begins a practice here with the values that are given, or goes on with
// it, and says where it stands.
func (a *app) beginPractice(ctx context.Context, s scenarios.Scenario, labName string, level practice.Level, given scenarios.Values) (err error) {
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
		if x.setting.Values, err = a.asBegun(s, state.Header, given); err == nil {
			err = a.openExercise(x)
		}
	case errors.Is(err, fs.ErrNotExist):
		x.setting.Values = maps(s.Defaults(), given)
		err = a.newExercise(ctx, x, level)
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
func (a *app) newExercise(ctx context.Context, x *exercise, level practice.Level) error {
	if level == "" {
		level = practice.Solo
	}
	notes, err := a.clearWay(ctx, x)
	if err != nil {
		return err
	}
	if err := a.planExercise(x); err != nil {
		return err
	}
	for _, n := range notes {
		x.view.show(lab.Event{Type: lab.NoteSaid, Lab: x.lab, ID: n.ID, Values: n.Values})
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
			err = errors.Join(a.adopt(x, j), j.Close())
		}
	}
	if err != nil {
		return errors.Join(err, x.kernel.Close())
	}
	return nil
}

// clearWay makes sure, where the practice is to be on this machine, that nothing there
// is in its way. The notes are what may surprise.
func (a *app) clearWay(ctx context.Context, x *exercise) (notes []lab.Note, err error) {
	if _, inside, err := machine.Here(); err != nil || inside {
		return nil, err
	}
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	instead := beginning("practice", x.scenario, x.lab, x.setting.Values) // has no flag of its own
	again := append(slices.Clone(instead), "--host")
	x.setting.Values, notes, err = a.layHostSide(ctx, k, x.scenario, x.lab, x.setting.Values, again, instead)
	return notes, err
}

// adopt has the journal know what the learner has made on this machine, so that a
// teardown takes it away. A sandbox takes it along.
func (a *app) adopt(x *exercise, j *journal.Journal) error {
	_, inside, err := machine.Here()
	if err != nil || inside {
		return err
	}
	return a.runner(x.kernel, place{}.kind(inside), func(lab.Event) {}).Adopt(x.plan, j)
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
