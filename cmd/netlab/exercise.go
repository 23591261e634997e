package main

import (
	"context"
	"errors"
	"io/fs"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// exerciseLab is the name of the lab of a practice or a challenge, its own unless
// another is given, and whether we are in a sandbox already.
func exerciseLab(given, own string) (lab string, inside bool, err error) {
	if lab = given; lab == "" {
		lab = own
	}
	if err := scenarios.CheckLabName(lab); err != nil {
		return "", false, err
	}
	_, inside, err = machine.Here()
	return lab, inside, err
}

// lockExercise locks the lab of a practice or a challenge, in whose own sandbox we must
// be, or in none.
func (a *app) lockExercise(labName string) (*journal.Lock, error) {
	here, inside, err := machine.Here()
	if err != nil {
		return nil, err
	}
	if inside && here.Name != labName { // typed in the shell of another lab's sandbox
		return nil, &usageError{Text: a.fill("challenge.inside", "lab", here.Name), Next: "exit"}
	}
	return a.labs.Lock(labName)
}

// beginAt begins an exercise, or goes on with it, where it is or is to be: on this
// machine by here, and in a sandbox by the netlab inside, whose arguments are args.
// sandboxed is what to type for the one in a sandbox. After an error the place is let go.
func (a *app) beginAt(ctx context.Context, labName string, host bool, sandboxed lab.Command, args []string, here func() error) (place, error) {
	p, err := find(labName)
	switch {
	case err == nil && p.sandbox != nil && host:
		err = &usageError{Text: a.fill("exercise.is-in-sandbox", "lab", labName), Next: sandboxed.String()}
	case err == nil && p.sandbox != nil:
		err = a.enter(ctx, p.sandbox, args...)
	case err == nil, errors.Is(err, fs.ErrNotExist) && host:
		p.lab = labName
		err = here()
	case errors.Is(err, fs.ErrNotExist):
		p.lab = labName
		p.sandbox, err = a.exerciseSandbox(ctx, labName, args)
	}
	if err != nil {
		return place{}, errors.Join(err, p.close())
	}
	return p, nil
}

// exerciseSandbox makes a sandbox, and begins in it what args say. After an error there
// is none.
func (a *app) exerciseSandbox(ctx context.Context, labName string, args []string) (*machine.Sandbox, error) {
	s, err := a.startSandbox(ctx, labName, a.asTyped())
	if err != nil {
		return nil, err
	}
	if err := a.enter(ctx, s, args...); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// takenDown is the key of what to say when an exercise is gone.
func takenDown(p place) string {
	if p.sandbox == nil {
		return "exercise.taken-down"
	}
	return "challenge.taken-down"
}

// startOf is what to type to begin a practice or a challenge in that lab, or to go on.
func startOf(verb, name, labName string) lab.Command {
	c := lab.Command{"netlab", verb, name}
	if name != labName {
		c = append(c, "--name", labName)
	}
	return c
}

// quietly is this netlab, as if it had been told to print only what fails.
func (a *app) quietly() *app {
	quiet := *a
	quiet.quiet = true
	return &quiet
}
