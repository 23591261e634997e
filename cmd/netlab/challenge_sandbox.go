package main

import (
	"context"
	"errors"
	"io/fs"

	"netlab/lab/progress"
	"netlab/scenarios/challenges"
)

// A challenge is in a sandbox unless it is asked for on this machine itself: neither
// what breaks it nor what people type to repair it is for a machine that others need.
// The netlab outside makes the sandbox; the same command inside builds the lab and
// breaks it.

// challengeArgs is the command that begins a challenge inside.
func (a *app) challengeArgs(name, lab string) []string {
	return a.again("challenge", name, "--name", lab)
}

// challengeShell lets the learner in, and after that takes down what is won.
func (a *app) challengeShell(ctx context.Context, p place, c challenges.Challenge) error {
	err := a.netlabAt(ctx, p, "shell", "--", p.lab, hostName)
	var status exitStatus
	if errors.As(err, &status) { // of the last command typed there
		err = nil
	}
	if err != nil {
		return errors.Join(err, p.close())
	}
	if _, err := p.dir().Read(p.lab); errors.Is(err, fs.ErrNotExist) { // torn down meanwhile
		return p.close()
	}
	r, err := attemptsIn(p).Record(progress.Challenge, c.Name)
	if err != nil {
		return errors.Join(err, p.close())
	}
	w := a.paper()
	if r.Last.Won == nil {
		w.prose("", a.say("challenge.still-up"), nil)
		w.advice(a.say("challenge.go-on"), startOf("challenge", c.Name, p.lab).String())
		w.advice(a.say("challenge.give-up"), "netlab challenge leave "+p.lab)
		return p.close()
	}
	if err := a.quietly().teardownPlace(context.WithoutCancel(ctx), p, teardownOptions{}); err != nil {
		return err
	}
	w.prose("", a.say(takenDown(p)), nil)
	w.advice(a.say("challenge.read"), "netlab challenge explain "+c.Name)
	w.advice(a.say("challenge.next"), "netlab challenge")
	return nil
}
