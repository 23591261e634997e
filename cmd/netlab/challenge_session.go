package main

import (
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
	"netlab/scenarios/challenges"
)

// sitting is a challenge that is up, as a netlab inside its sandbox sees it.
type sitting struct {
	challenges.Challenge
	lab string
	// begun is when the lab was built.
	begun time.Time
	// setting has the facts of the machine that it was built on.
	setting scenarios.Setting
	kernel  *kernel.Kernel
	// place is where it is; from outside, setting and kernel are not set.
	place place
}

// fromOutside are what is done by the netlab outside: it makes and ends sandboxes.
func fromOutside(sub string) bool { return sub == "reset" || sub == "leave" }

// inChallenge runs a subcommand on the challenge that is up, in its sandbox.
func (a *app) inChallenge(cmd *cobra.Command, args []string, sub string, run func(*cobra.Command, sitting) error) (err error) {
	if len(args) == 1 && sub == "explain" { // of one that is not up any more
		if done, err := a.explainByName(args[0]); done {
			return err
		}
	}
	p, err := a.challengeUp(args)
	if err != nil {
		return err
	}
	if p.sandbox != nil && !fromOutside(sub) {
		return a.enterFor(cmd.Context(), p, a.again("challenge", sub, p.lab)...)
	}
	state, err := p.dir().Read(p.lab)
	if err != nil {
		return errors.Join(a.journalRefused(p.lab, err), p.close())
	}
	c, err := challenges.Load(state.Header.Challenge, a.lang)
	if err != nil {
		return errors.Join(a.unknownTo(p.lab, state.Header.Challenge), p.close())
	}
	s := sitting{Challenge: c, lab: p.lab, begun: state.Header.Created, place: p}
	if p.sandbox != nil {
		return run(cmd, s)
	}
	s.kernel = kernel.Open()
	defer func() { err = errors.Join(err, s.kernel.Close()) }()
	if s.setting, err = a.challengeSetting(s.kernel, c, p.lab, maps(c.Values(), state.Header.Params)); err != nil {
		return err
	}
	return run(cmd, s)
}

// close lets go of the sandbox, which goes on.
func (p place) close() error {
	if p.sandbox == nil {
		return nil
	}
	return p.sandbox.Close()
}

// again is a command with the flags of every command that this netlab was given.
func (a *app) again(words ...string) []string {
	words = append(words, "--output", a.output)
	for _, f := range []struct {
		set  bool
		flag string
	}{{a.quiet, "--quiet"}, {a.verbose, "--verbose"}, {a.noColor, "--no-color"}, {a.ascii, "--ascii"}} {
		if f.set {
			words = append(words, f.flag)
		}
	}
	return words
}

// challengesUp are those that are up. A lab whose journal can't be read is none.
func challengesUp() ([]place, error) {
	up, err := places()
	if err != nil {
		return nil, err
	}
	var found []place
	for _, p := range up {
		state, err := p.dir().Read(p.lab)
		if err == nil && state.Header.Challenge != "" {
			found = append(found, p)
		}
	}
	return found, nil
}

func completeChallengesUp(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	up, err := challengesUp()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return names(up), cobra.ShellCompDirectiveNoFileComp
}

// challengeUp is the challenge of that name that is up or, without one, the only one.
func (a *app) challengeUp(args []string) (place, error) {
	found, err := challengesUp()
	if err != nil {
		return place{}, err
	}
	if len(args) == 1 {
		found = slices.DeleteFunc(found, func(p place) bool { return p.lab != args[0] })
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return place{}, &usageError{Text: a.fill("challenge.several", "known", a.list(names(found))), Next: "netlab status"}
	case len(args) == 1:
		return place{}, &usageError{Text: a.fill("challenge.not-up", "lab", args[0]), Next: "netlab challenge"}
	}
	return place{}, &usageError{Text: a.say("challenge.none"), Next: "netlab challenge"}
}

// challengeLeave ends the sandbox, with all that is in it.
func (a *app) challengeLeave(cmd *cobra.Command, s sitting) error {
	if _, inside, err := machine.Here(); err != nil || inside {
		return errors.Join(&usageError{Text: a.say("challenge.exit-first"), Next: "exit"}, err)
	}
	// What is undone would tell what it was.
	if err := a.quietly().teardownPlace(cmd.Context(), s.place, teardownOptions{}); err != nil || a.output == "json" || a.quiet {
		return err
	}
	a.paper().prose("", a.say(takenDown(s.place)), nil)
	return nil
}

// challengeReset builds the lab and breaks it anew: from outside in a new sandbox,
// inside in the same, where what the learner did besides the lab stays.
func (a *app) challengeReset(cmd *cobra.Command, s sitting) error {
	quiet := a.quietly()
	if s.place.sandbox != nil {
		if err := quiet.teardownPlace(cmd.Context(), s.place, teardownOptions{}); err != nil {
			return err
		}
		fresh, err := a.exerciseSandbox(cmd.Context(), s.lab, a.challengeArgs(s.Name, s.lab))
		if err != nil {
			return err
		}
		return fresh.Close()
	}
	if err := machine.Stay(); err != nil {
		return err
	}
	if err := quiet.teardownHere(cmd.Context(), s.lab, teardownOptions{anew: true}); err != nil {
		return err
	}
	if err := a.beginChallenge(cmd.Context(), s.Challenge, s.lab); err != nil {
		return err
	}
	v, err := s.Judge(cmd.Context(), s.kernel, s.setting, challenges.Patience, nil)
	if err == nil && !s.Shows(v) {
		err = &usageError{Text: a.say("challenge.reset-outside"), Next: "exit"}
		if _, inside, _ := machine.Here(); !inside {
			err = &usageError{Text: a.say("challenge.reset-host")}
		}
	}
	return err
}
