package main

import (
	"context"
	"errors"
	"io/fs"

	"netlab/lab/machine"
	"netlab/lab/progress"
	"netlab/scenarios/challenges"
)

// A challenge is in a sandbox unless it is asked for on this machine itself: neither
// what breaks it nor what people type to repair it is for a machine that others need.
// The netlab outside makes the sandbox; the same command inside builds the lab and
// breaks it.

// challengeArgs is the command that begins a challenge inside.
func (a *app) challengeArgs(name, lab string) []string {
	args := []string{"challenge", name, "--name", lab, "--output", a.output}
	for _, f := range []struct {
		set  bool
		flag string
	}{{a.quiet, "--quiet"}, {a.verbose, "--verbose"}, {a.noColor, "--no-color"}, {a.ascii, "--ascii"}} {
		if f.set {
			args = append(args, f.flag)
		}
	}
	return args
}

// challengeSandbox makes a sandbox with the broken lab in it. After an error there
// is none.
func (a *app) challengeSandbox(ctx context.Context, name, lab string) (*machine.Sandbox, error) {
	s, err := a.startSandbox(ctx, lab, a.asTyped())
	if err != nil {
		return nil, err
	}
	if err := a.enter(ctx, s, a.challengeArgs(name, lab)...); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
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
		w.advice(a.say("challenge.go-on"), "netlab challenge "+startOf(c.Name, p.lab))
		w.advice(a.say("challenge.give-up"), "netlab challenge leave "+p.lab)
		return p.close()
	}
	quiet := *a
	quiet.quiet = true
	if err := quiet.teardownPlace(context.WithoutCancel(ctx), p, teardownOptions{}); err != nil {
		return err
	}
	w.prose("", a.say(takenDown(p)), nil)
	w.advice(a.say("challenge.read"), "netlab challenge explain "+c.Name)
	w.advice(a.say("challenge.next"), "netlab challenge")
	return nil
}

// takenDown is the key of what to say when an exercise is gone.
func takenDown(p place) string {
	if p.sandbox == nil {
		return "exercise.taken-down"
	}
	return "challenge.taken-down"
}

// startOf is what to type behind `netlab challenge` for that lab.
func startOf(name, lab string) string {
	if name == lab {
		return name
	}
	return name + " --name " + lab
}
