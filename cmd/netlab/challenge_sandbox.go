package main

import (
	"context"
	"errors"
	"io/fs"

	"netlab/lab/machine"
	"netlab/lab/progress"
	"netlab/scenarios/challenges"
)

// A challenge is always in a sandbox: neither what breaks it nor what people type to
// repair it is for a machine that others need. The netlab outside makes the sandbox;
// the same command inside builds the lab and breaks it.

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
func (a *app) challengeShell(ctx context.Context, s *machine.Sandbox, c challenges.Challenge, lab string) error {
	err := a.enter(ctx, s, "shell", "--", lab, hostName)
	var status exitStatus
	if errors.As(err, &status) { // of the last command typed there
		err = nil
	}
	if err != nil {
		return errors.Join(err, s.Close())
	}
	here := place{lab: lab, sandbox: s}
	if _, err := here.dir().Read(lab); errors.Is(err, fs.ErrNotExist) { // torn down meanwhile
		return s.Close()
	}
	r, err := attemptsIn(here).Record(progress.Challenge, c.Name)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	p := a.paper()
	if r.Last.Won == nil {
		p.prose("", a.say("challenge.still-up"), nil)
		p.advice(a.say("challenge.go-on"), "netlab challenge "+startOf(c.Name, lab))
		p.advice(a.say("challenge.give-up"), "netlab challenge leave "+lab)
		return s.Close()
	}
	quiet := *a
	quiet.quiet = true
	if err := quiet.teardownPlace(ctx, here, teardownOptions{}); err != nil {
		return err
	}
	p.prose("", a.say("challenge.taken-down"), nil)
	p.advice(a.say("challenge.read"), "netlab challenge explain "+c.Name)
	p.advice(a.say("challenge.next"), "netlab challenge")
	return nil
}

// startOf is what to type behind `netlab challenge` for that lab.
func startOf(name, lab string) string {
	if name == lab {
		return name
	}
	return name + " --name " + lab
}
