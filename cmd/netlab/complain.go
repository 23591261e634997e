package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"netlab/lab/journal"
	"netlab/lab/machine"
	"netlab/lab/owned"
	"netlab/scenarios"
)

// complain prints an error that no view has shown yet, and behind it the command
// that helps. Of several joined, each is said by itself.
func (a *app) complain(err error) {
	if several, ok := joined(err); ok {
		for _, one := range several {
			a.complain(one)
		}
		return
	}
	var status exitStatus
	if err == nil || errors.As(err, &status) || errors.Is(err, errShown) {
		return
	}
	text, next := a.inWords(err)
	p := a.errPaper()
	for i, line := range strings.Split(a.fill("error", "error", text), "\n") {
		mark := ""
		if i > 0 { // a list, such as the reasons why a machine is not ready
			mark = line[:len(line)-len(strings.TrimLeft(line, " ✗"))]
		}
		p.prose(mark, line[len(mark):], nil)
	}
	if next != "" {
		p.line(a.fill("try", "command", next))
	}
}

// joined parts what errors.Join has put together; errors that wrap several in a
// sentence of their own stay whole.
func joined(err error) ([]error, bool) {
	several, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil, false
	}
	var texts []string
	for _, one := range several.Unwrap() {
		texts = append(texts, one.Error())
	}
	return several.Unwrap(), strings.Join(texts, "\n") == err.Error()
}

// inWords is an error in our language, and the command that helps, if one does.
// What the kernel or a tool said stays as it is, and so does the detail of what
// should never happen.
func (a *app) inWords(err error) (text, next string) {
	var usage *usageError
	var cannot *cannotError
	var bad *scenarios.BadValueError
	var busy *journal.BusyError
	var denied *machine.NamespacesError
	switch {
	case errors.As(err, &usage):
		return usage.Text, usage.Next
	case errors.As(err, &cannot):
		return cannot.Text, cannot.Next
	case errors.As(err, &bad):
		return a.badWords(bad), ""
	case errors.As(err, &busy):
		return a.fill("journal.busy", "lab", busy.Lab, "pid", busy.PID), "netlab status"
	case errors.As(err, &denied):
		return a.deniedWords(denied)
	case errors.Is(err, machine.ErrReadOnlySysctl):
		return a.say("sysctl-read-only"), remountSysctl
	case errors.Is(err, machine.ErrNoNsenter):
		return a.say("sandbox.no-nsenter"), ""
	case errors.Is(err, machine.ErrUnsafeDir), errors.Is(err, owned.ErrUnsafe):
		return a.fill("state.unsafe", "error", err.Error()), ""
	case errors.Is(err, machine.ErrDamaged):
		return a.fill("state.damaged", "error", err.Error()), ""
	case errors.Is(err, machine.ErrNewer):
		return a.fill("state.newer", "error", err.Error()), ""
	}
	return a.fill("error.technical", "error", err.Error()), ""
}

func (a *app) badWords(bad *scenarios.BadValueError) string {
	why := scenarios.Fill(a.say("bad."+bad.Why), bad.Values)
	return a.fill("bad", "param", bad.Param, "value", bad.Value, "why", why)
}

// deniedWords says why no sandbox can be made, and how to let it be.
func (a *app) deniedWords(denied *machine.NamespacesError) (text, next string) {
	var why []string
	for _, k := range denied.Knobs {
		why = append(why, a.fill("sandbox.knob", "key", k.Key, "value", k.Value))
		next = strings.TrimSpace(next + fmt.Sprintf(" %s=%s", k.Key, k.Want))
	}
	if next != "" {
		next = "sudo sysctl -w " + next
	}
	switch {
	case len(why) > 0:
	case errors.Is(denied, syscall.ENOSPC):
		why = []string{a.say("sandbox.too-many")}
	default:
		why = []string{a.say("sandbox.no-knob")}
	}
	return a.fill("sandbox.denied", "error", denied.Err.Error(), "why", a.list(why)), next
}
