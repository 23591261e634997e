package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"syscall"

	"netlab/lab/journal"
	"netlab/lab/machine"
)

// place is where a lab is: on the machine that this process sees, or in a
// sandbox of its own.
type place struct {
	lab     string
	sandbox *machine.Sandbox // nil: here
}

// kind is the kind of machine, for people.
func (p place) kind(inside bool) string {
	if p.sandbox != nil || inside {
		return machine.KindSandbox
	}
	return "host"
}

// dir is where the lab's journal stands.
func (p place) dir() journal.Dir { return journal.At(p.path(labsDir)) }

// path is where a file of the lab's machine is to be found. One of a sandbox is read
// from outside, through its holder.
func (p place) path(name string) string {
	if p.sandbox != nil {
		return filepath.Join(p.sandbox.Root(), name)
	}
	return name
}

// places lists the labs that are up, those here first. A lab whose journal or
// sandbox can't be read is an error beside those that can.
func places() ([]place, error) {
	var found []place
	labs, err := journal.At(labsDir).Labs()
	if errors.Is(err, fs.ErrPermission) {
		err = nil // root's labs, which are none of ours
	}
	for _, lab := range labs {
		found = append(found, place{lab: lab})
	}
	sandboxes, sandboxErr := machine.List()
	for _, s := range sandboxes {
		found = append(found, place{lab: s.Name, sandbox: s})
	}
	return found, errors.Join(err, sandboxErr)
}

// find is the place of the lab of that name; one that is not up is an error
// wrapping fs.ErrNotExist.
func find(lab string) (place, error) {
	s, err := machine.Find(lab)
	if err == nil {
		return place{lab: lab, sandbox: s}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return place{}, err
	}
	here, err := journal.At(labsDir).Labs()
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return place{}, err
	}
	for _, name := range here {
		if name == lab {
			return place{lab: lab}, nil
		}
	}
	return place{}, fmt.Errorf("lab %q: %w", lab, fs.ErrNotExist)
}

// only is the one lab that is up, when there is exactly one.
func (a *app) only() (place, error) {
	up, err := places()
	if err != nil {
		return place{}, err
	}
	switch len(up) {
	case 0:
		return place{}, &usageError{Text: a.say("lab.none"), Next: "netlab run proxyarp"}
	case 1:
		return up[0], nil
	}
	return place{}, &usageError{Text: a.fill("lab.several", "known", a.list(names(up))), Next: "netlab status"}
}

// named is the lab of that name, or a usageError that suggests one.
func (a *app) named(lab string) (place, error) {
	p, err := find(lab)
	if !errors.Is(err, fs.ErrNotExist) {
		return p, err
	}
	up, err := places()
	if err != nil {
		return place{}, err
	}
	if len(up) == 0 {
		return place{}, &usageError{Text: a.fill("lab.none-of-that-name", "name", lab), Next: "netlab list"}
	}
	return place{}, a.unknown("lab.unknown", lab, names(up), "netlab status")
}

func names(places []place) []string {
	var all []string
	for _, p := range places {
		all = append(all, p.lab)
	}
	return all
}

// netlabAt runs netlab again where a lab is; see enter.
func (a *app) netlabAt(ctx context.Context, p place, args ...string) error {
	if p.sandbox != nil {
		return a.enter(ctx, p.sandbox, args...)
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "/proc/self/exe", args...)
	cmd.Args[0] = "netlab"
	return a.child(ctx, cmd)
}

// enter runs netlab again inside a sandbox, on this terminal, and returns its
// exit code as an exitStatus. The terminal's signals reach it by themselves; a
// SIGTERM is passed on.
func (a *app) enter(ctx context.Context, s *machine.Sandbox, args ...string) error {
	// Not ctx: its end would kill what must be let finish what it does.
	cmd, err := s.Netlab(context.WithoutCancel(ctx), args...)
	if err != nil {
		return err
	}
	return a.child(ctx, cmd)
}

// child runs a netlab on this terminal; see enter.
func (a *app) child(ctx context.Context, cmd *exec.Cmd) error {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.stdin, a.stdout, a.stderr
	cmd.Env = append(cmd.Environ(), languageVar+"="+a.lang) // args may be ours, without --lang
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("run netlab where the lab is: %w", err)
	}
	stopped := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(interruptSignal) })
	defer stopped()
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() < 0 { // ended by a signal
			if status, ok := exit.Sys().(syscall.WaitStatus); ok && ctx.Err() != nil && status.Signal() == interruptSignal {
				return exitStatus(exitInterrupted) // ours, which came when it was about to end
			}
			return exitStatus(exitFailed)
		}
		return exitStatus(exit.ExitCode())
	}
	if err != nil {
		return fmt.Errorf("run netlab where the lab is: %w", err)
	}
	return nil
}
