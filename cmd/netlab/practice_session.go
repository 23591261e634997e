package main

import (
	"context"
	"errors"
	"io/fs"
	"strconv"

	"netlab/lab/practice"
	"netlab/scenarios"
)

// practice begins one, or goes on with it, and lets the learner in.
func (a *app) practice(ctx context.Context, s scenarios.Scenario, o practiceOptions) error {
	if err := s.Check(o.values); err != nil {
		return err
	}
	level, err := a.levelOf(o.level)
	if err != nil {
		return err
	}
	var inside bool
	if o.lab, inside, err = exerciseLab(o.lab, s.Name); err != nil {
		return err
	}
	if o.host {
		sandboxed := startOf("practice", s.Name, o.lab)
		if s.Sandboxed {
			return &cannotError{Text: a.fill("practice.not-on-host", "scenario", s.Name), Next: sandboxed.String()}
		}
		if err := a.onHost(inside, o.lab, sandboxed); err != nil {
			return err
		}
	}
	if inside { // a netlab outside has made the sandbox and sent us
		return a.beginPractice(ctx, s, o.lab, level, o.given)
	}
	for {
		again, err := a.practiceOnce(ctx, s, &o)
		if err != nil || !again {
			return err
		}
	}
}

// practiceOnce tells whether the learner wants to begin anew.
func (a *app) practiceOnce(ctx context.Context, s scenarios.Scenario, o *practiceOptions) (again bool, err error) {
	args := a.practiceArgs(s, o.lab, o.level, o.given)
	p, err := a.beginAt(ctx, o.lab, o.host, startOf("practice", s.Name, o.lab), args, func() error {
		level, err := a.levelOf(o.level)
		if err != nil {
			return err
		}
		return a.beginPractice(ctx, s, o.lab, level, o.given)
	})
	if err != nil {
		return false, err
	}
	o.host = p.sandbox == nil // begun anew, it is where it was, and as it was
	if state, err := p.dir().Read(p.lab); err == nil {
		o.given = state.Header.Params
	}
	if o.noShell || a.output == "json" || !a.onTerminal() {
		return false, p.close()
	}
	return a.practiceInside(ctx, s, p)
}

// practiceInside lets the learner in, and sees to what is wanted after.
func (a *app) practiceInside(ctx context.Context, s scenarios.Scenario, p place) (again bool, err error) {
	err = a.netlabAt(ctx, p, "practice", shellVerb, p.lab)
	var status exitStatus
	if err != nil && !errors.As(err, &status) { // a status is that of the last command typed there
		return false, errors.Join(err, p.close())
	}
	_, err = p.dir().Read(p.lab)
	var state *practice.State
	if err == nil {
		state, err = practice.Load(practiceFile(p))
	}
	if errors.Is(err, fs.ErrNotExist) { // torn down meanwhile
		return false, p.close()
	}
	if err != nil {
		return false, errors.Join(err, p.close())
	}
	quiet := a.quietly()
	paper := a.paper()
	ctx = context.WithoutCancel(ctx) // what interrupted the shell is no reason to stop here
	switch {
	case state.Again:
		return true, quiet.teardownPlace(ctx, p, teardownOptions{anew: true})
	case !state.Proven.IsZero():
		if err := quiet.teardownPlace(ctx, p, teardownOptions{}); err != nil {
			return false, err
		}
		paper.prose("", a.say(takenDown(p)), nil)
		paper.advice(a.say("challenge.next"), "netlab practice")
		return false, nil
	}
	reached, _ := state.Counts()
	paper.prose("", a.fill("practice.still-up", "reached", strconv.Itoa(reached), "total", strconv.Itoa(len(state.Steps))), nil)
	paper.advice(a.say("challenge.go-on"), startOf("practice", s.Name, p.lab).String())
	paper.advice(a.say("challenge.give-up"), "netlab teardown "+p.lab)
	return false, p.close()
}

// practiceArgs is the command that begins a practice inside.
func (a *app) practiceArgs(s scenarios.Scenario, lab, level string, given scenarios.Values) []string {
	args := []string{"practice", s.Name, "--name", lab, "--level", level}
	for _, p := range s.Params {
		if v, ok := given[p.Name]; ok {
			args = append(args, "--"+p.Name, v)
		}
	}
	return a.again(args...)
}
