package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/lab/practice"
	"netlab/scenarios"
)

// exercise is a practice that is up, as a netlab inside its sandbox sees it.
type exercise struct {
	scenario scenarios.Scenario
	lab      string
	kernel   *kernel.Kernel
	setting  scenarios.Setting
	plan     lab.Plan
	state    *practice.State
	view     *textView
	// place is set alone, with scenario and lab, for what is done from outside.
	place place
}

// practiceFile is where a practice's state stands, of a sandbox as seen from outside.
func practiceFile(p place) string { return p.path(filepath.Join(practiceDir, p.lab+".json")) }

// practiceDir has the states of the practices in this sandbox, and what their shells read.
const practiceDir = "/run/netlab/practice"

// hostSpace names the network namespace that this process is in.
func hostSpace() (string, error) {
	space, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return "", fmt.Errorf("look where this is: %w", err)
	}
	return space, nil
}

// inPractice runs a subcommand on the practice that is up, in its sandbox.
func (a *app) inPractice(ctx context.Context, args []string, sub string, run func(context.Context, *exercise) error) (err error) {
	p, h, err := a.practiceUp(args)
	if err != nil {
		return err
	}
	s, err := a.scenarioOf(h)
	if err != nil {
		return errors.Join(err, p.close())
	}
	if p.sandbox != nil && sub != "reset" {
		return a.enterFor(ctx, p, a.again("practice", sub, p.lab)...)
	}
	x := &exercise{scenario: s, lab: p.lab, place: p}
	x.setting.Values = maps(s.Defaults(), h.Params)
	_, inside, err := machine.Here()
	if err != nil {
		return errors.Join(err, p.close())
	}
	// The second becomes another program, the third makes this practice anew.
	if p.sandbox != nil || sub == shellVerb || sub == "reset" && !inside && !inItsShell(p.lab) {
		return run(ctx, x)
	}
	lock, err := a.labs.Lock(p.lab)
	if sub == lookVerb && errors.Is(err, journal.ErrBusy) { // somebody else looks, and will say
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if err := a.openExercise(x); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.kernel.Close()) }()
	return run(ctx, x)
}

// openExercise reads what there is of a practice here.
func (a *app) openExercise(x *exercise) error {
	var err error
	if x.state, err = practice.Load(practiceFile(x.place)); err != nil {
		return err
	}
	space, err := hostSpace()
	if err != nil {
		return err
	}
	if space != x.state.Space {
		return &usageError{Text: a.say("practice.elsewhere"), Next: "exit"}
	}
	return a.planExercise(x)
}

// inItsShell tells whether this was typed in the shell of a practice.
func inItsShell(lab string) bool {
	return os.Getenv("NETLAB_SHELLS") != "" && os.Getenv("NETLAB_LAB") == lab
}

// planExercise makes the plan: the scenario with the values that are chosen. What only
// keeps IPv6 quiet is not asked of a learner, and no rule need bear a mark.
func (a *app) planExercise(x *exercise) (err error) {
	x.kernel = kernel.Open()
	defer func() {
		if err != nil {
			err = errors.Join(err, x.kernel.Close())
		}
	}()
	if x.setting, err = a.exerciseSetting(x.kernel, x.scenario, x.lab, "", x.setting.Values); err != nil {
		return err
	}
	x.setting.Facts.IPv6 = false
	x.plan = lab.Plan{
		Lab: x.lab, Scenario: x.scenario.Name, Params: x.setting.Values,
		Steps: x.scenario.Steps(x.setting), Explain: explain(x.scenario, x.setting),
	}
	x.view, err = a.textView(x.scenario, x.setting, false)
	return err
}

// practiceUp is the practice of that name that is up or, without one, the only one.
func (a *app) practiceUp(args []string) (place, journal.Header, error) {
	up, err := places()
	if err != nil {
		return place{}, journal.Header{}, err
	}
	var found []place
	var headers []journal.Header
	for _, p := range up {
		state, err := p.dir().Read(p.lab)
		if err == nil && state.Header.Practice && (len(args) == 0 || p.lab == args[0]) {
			found, headers = append(found, p), append(headers, state.Header)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], headers[0], nil
	case len(found) > 1:
		err = &usageError{Text: a.fill("practice.several", "known", a.list(names(found))), Next: "netlab status"}
	case len(args) == 1:
		err = &usageError{Text: a.fill("practice.not-up", "lab", args[0]), Next: "netlab practice"}
	default:
		err = &usageError{Text: a.say("practice.none"), Next: "netlab practice"}
	}
	return place{}, journal.Header{}, err
}
