package main

import (
	"bufio"
	"context"
	"strings"

	"netlab/lab/machine"
	"netlab/lab/practice"
)

// practiceReset begins anew from a host with nothing of the lab on it. In a sandbox that
// takes another: from outside it is made at once; in the practice's shell, once the
// learner has left it, by the netlab that had let the learner in.
func (a *app) practiceReset(ctx context.Context, x *exercise) error {
	_, inside, err := machine.Here()
	if err != nil {
		return err
	}
	if inside || x.place.sandbox == nil && inItsShell(x.lab) {
		if !a.sure("practice.sure") {
			return exitStatus(exitFailed)
		}
		x.state.Again = true
		if err := a.keep(x); err != nil {
			return err
		}
		key := "practice.leaving"
		if !inside {
			key = "practice.leaving-host"
		}
		a.paper().prose("", a.say(key), nil)
		return nil
	}
	state, err := practice.Load(practiceFile(x.place))
	if err != nil {
		return err
	}
	if err := a.quietly().teardownPlace(ctx, x.place, teardownOptions{anew: true}); err != nil {
		return err
	}
	if x.place.sandbox == nil {
		return a.beginPractice(ctx, x.scenario, x.lab, state.Level, x.setting.Values)
	}
	fresh, err := a.exerciseSandbox(ctx, x.lab, a.practiceArgs(x.scenario, x.lab, string(state.Level), x.setting.Values))
	if err != nil {
		return err
	}
	return fresh.Close()
}

// sure asks whoever sits at a terminal. Elsewhere nobody is asked.
func (a *app) sure(key string) bool {
	if !a.onTerminal() {
		return true
	}
	p := a.paper()
	p.prose("", a.say(key), nil)
	line, err := bufio.NewReader(a.stdin).ReadString('\n')
	line = strings.ToLower(strings.TrimSpace(line))
	return err == nil && (line == "y" || line == "yes" || line == a.say("answer.yes"))
}
