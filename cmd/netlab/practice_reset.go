package main

import (
	"bufio"
	"context"
	"strings"

	"netlab/lab/practice"
)

// practiceReset begins anew from a host with nothing on it. That takes another sandbox:
// from outside it is made at once; inside, once the learner's shell has left this one,
// by the netlab that had let the learner in.
func (a *app) practiceReset(ctx context.Context, x *exercise) error {
	if x.place.sandbox == nil {
		if !a.sure("practice.sure") {
			return exitStatus(exitFailed)
		}
		x.state.Again = true
		if err := a.keep(x); err != nil {
			return err
		}
		a.paper().prose("", a.say("practice.leaving"), nil)
		return nil
	}
	state, err := practice.Load(practiceFile(x.place))
	if err != nil {
		return err
	}
	quiet := *a
	quiet.quiet = true
	if err := quiet.teardownPlace(ctx, x.place, teardownOptions{}); err != nil {
		return err
	}
	fresh, err := a.practiceSandbox(ctx, x.scenario.Name, x.lab, string(state.Level))
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
