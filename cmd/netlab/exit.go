package main

import (
	"errors"
	"fmt"
	"io/fs"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// Exit codes, as README.md documents them.
const (
	exitDone        = 0
	exitFailed      = 1   // a step or a check failed
	exitUsage       = 2   // wrong usage; nothing was changed
	exitCannot      = 3   // this machine can't; nothing was changed
	exitInterrupted = 130 // as a shell has it for SIGINT
)

// usageError is a mistake in what was typed, or in a file that must be looked at
// before anything is done. Next is a command that helps, or empty.
type usageError struct {
	Text string
	Next string
}

func (e *usageError) Error() string { return e.Text }

// cannotError says why this machine can't do it. Nothing was changed.
type cannotError struct {
	Text string
	Next string
	Err  error
}

func (e *cannotError) Error() string { return e.Text }
func (e *cannotError) Unwrap() error { return e.Err }

// exitStatus is the exit code of a command that ran on netlab's behalf.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// exitCode is the one place that knows which error ends with which code.
func exitCode(err error) int {
	var usage *usageError
	var cannot *cannotError
	var status exitStatus
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, lab.ErrInterrupted):
		return exitInterrupted
	case errors.Is(err, lab.ErrFailed): // whatever it failed for: something was changed
		return exitFailed
	case errors.As(err, &usage), errors.Is(err, scenarios.ErrBadValue),
		errors.Is(err, journal.ErrDamaged), errors.Is(err, journal.ErrNewer),
		errors.Is(err, machine.ErrDamaged), errors.Is(err, machine.ErrNewer), errors.Is(err, machine.ErrNoHolder):
		return exitUsage
	case errors.As(err, &cannot), errors.Is(err, journal.ErrBusy), errors.Is(err, fs.ErrPermission),
		errors.Is(err, machine.ErrUnsafeDir), errors.Is(err, machine.ErrNoUserNamespaces),
		errors.Is(err, machine.ErrReadOnlySysctl), errors.Is(err, machine.ErrNoNsenter):
		return exitCannot
	}
	return exitFailed
}
