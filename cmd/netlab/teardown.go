package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
)

type teardownOptions struct {
	all     bool
	salvage bool
	// anew: the exercise that the lab is begins once more after this.
	anew bool
}

func (a *app) teardownCommand() *cobra.Command {
	var o teardownOptions
	cmd := &cobra.Command{
		Use:   "teardown [LAB...]",
		Short: a.say("short.teardown"),
		Long:  a.say("long.teardown"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.all && len(args) > 0 {
				return &usageError{Text: a.say("teardown.all-or-names")}
			}
			return a.teardown(cmd.Context(), args, o)
		},
	}
	cmd.Flags().BoolVar(&o.all, "all", false, a.say("flag.all"))
	cmd.Flags().BoolVar(&o.salvage, "salvage", false, a.say("flag.salvage"))
	return cmd
}

// teardown tears labs down one after the other, and does not stop at one that
// fails. Without names it is the only lab that is up.
func (a *app) teardown(ctx context.Context, labs []string, o teardownOptions) error {
	var down []place
	switch {
	case o.all:
		up, err := places()
		if err != nil {
			return err
		}
		down = up
	case len(labs) == 0:
		up, err := places()
		if err != nil {
			return err
		}
		if len(up) > 1 {
			return a.severalUp(up)
		}
		down = up
	}
	if len(labs) == 0 && len(down) == 0 {
		a.nothingToDo("")
		return nil
	}
	var errs []error
	for _, name := range labs {
		p, err := find(name)
		if errors.Is(err, fs.ErrNotExist) {
			a.nothingToDo(name)
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		down = append(down, p)
	}
	for _, p := range down {
		errs = append(errs, a.teardownPlace(ctx, p, o))
	}
	return errors.Join(errs...)
}

func (a *app) severalUp(up []place) error {
	_, err := a.only()
	if err == nil {
		err = &usageError{Text: a.say("teardown.all-or-names")}
	}
	var usage *usageError
	if errors.As(err, &usage) {
		usage.Next = "netlab teardown --all"
	}
	return err
}

// nothingToDo says calmly that a lab is down already.
func (a *app) nothingToDo(name string) {
	if a.quiet || a.output == "json" {
		return
	}
	if name == "" {
		a.paper().prose("", a.say("teardown.none"), nil)
		return
	}
	a.paper().prose("", a.fill("teardown.is-down", "lab", name), nil)
}

func (a *app) teardownPlace(ctx context.Context, p place, o teardownOptions) (err error) {
	if p.sandbox == nil {
		return a.teardownHere(ctx, p.lab, o)
	}
	if _, damaged := p.dir().Read(p.lab); o.salvage && errors.Is(damaged, journal.ErrDamaged) {
		started := a.now()
		if err := p.sandbox.Stop(); err != nil { // all of the lab goes with it, whatever it was
			return err
		}
		a.undoView()(lab.Event{
			Type: lab.UndoEnd, Time: a.now(), Lab: p.lab, Machine: machine.KindSandbox, Outcome: lab.Down, Elapsed: a.now().Sub(started),
		})
		return nil
	}
	args := []string{"teardown", p.lab, "--output", a.output}
	if a.quiet {
		args = append(args, "--quiet")
	}
	err = a.enter(ctx, p.sandbox, args...)
	if errors.Is(err, machine.ErrEnded) { // its holder was killed, and took all of it along
		a.nothingToDo(p.lab)
		return p.sandbox.Stop() // waits until it has gone
	}
	if err != nil {
		return errors.Join(err, p.sandbox.Close())
	}
	return p.sandbox.Stop()
}

func (a *app) teardownHere(ctx context.Context, name string, o teardownOptions) (err error) {
	if allowed, missing := machine.CanUseHost(); !allowed {
		return a.denied(missing, "sudo netlab teardown "+name, "teardown.needs-root", "lab", name)
	}
	dir := a.labs
	lock, err := dir.Lock(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	open := dir.Open
	if o.salvage {
		open = dir.Salvage
	}
	j, err := open(name)
	if errors.Is(err, fs.ErrNotExist) { // torn down while we waited
		a.nothingToDo(name)
		return nil
	}
	if err != nil {
		return a.journalRefused(name, err)
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	_, inside, err := machine.Here()
	if err != nil {
		return err
	}
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	view := a.undoView()
	if j.Header.Practice {
		view = ofWhatStood(view)
	}
	r := a.runner(k, place{}.kind(inside), view)
	var adopted error
	if !inside && j.Header.Practice { // what was typed last may not have been looked at
		adopted = r.Adopt(lab.Plan{}, j)
	}
	if err := r.Teardown(ctx, j); err != nil {
		return errors.Join(shown(err), adopted) // which is no matter where all went
	}
	if !inside {
		err = a.tellChanged(k, name)
	}
	return errors.Join(err, forget(name, o.anew))
}

// ofWhatStood is a view of a teardown that says nothing of what was announced and is not
// there: in a practice, nobody may have come to it.
func ofWhatStood(view func(lab.Event)) func(lab.Event) {
	return func(e lab.Event) {
		if e.Type != lab.UndoSkip || e.Outcome != lab.SkipGone {
			view(e)
		}
	}
}
