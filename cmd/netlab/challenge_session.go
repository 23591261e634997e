package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"netlab/challenges"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/lab/progress"
	"netlab/scenarios"
)

// sitting is a challenge that is up, as a netlab inside its sandbox sees it.
type sitting struct {
	challenges.Challenge
	lab string
	// setting has the facts of the machine that it was built on.
	setting scenarios.Setting
	kernel  *kernel.Kernel
	// sandbox is set, and all else but the challenge and the lab not, for what is done
	// from outside.
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
		return errors.Join(&usageError{Text: a.fill("lab.unknown-scenario", "lab", p.lab, "scenario", state.Header.Challenge)}, p.close())
	}
	s := sitting{Challenge: c, lab: p.lab, place: p}
	if p.sandbox != nil {
		return run(cmd, s)
	}
	s.kernel = kernel.Open()
	defer func() { err = errors.Join(err, s.kernel.Close()) }()
	if s.setting, err = a.challengeSetting(s.kernel, c, p.lab); err != nil {
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
	return append(words, a.challengeArgs("", "")[4:]...)
}

// challengeUp is the challenge of that name that is up or, without one, the only one.
func (a *app) challengeUp(args []string) (place, error) {
	up, err := places()
	if err != nil {
		return place{}, err
	}
	var found []place
	for _, p := range up {
		state, err := p.dir().Read(p.lab)
		if err == nil && state.Header.Challenge != "" && (len(args) == 0 || p.lab == args[0]) {
			found = append(found, p)
		}
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

// jsonHint is a hint, the solution or the explanation as one line of JSON.
type jsonHint struct {
	Version  int      `json:"v"`
	Type     string   `json:"type"` // "hint", "solution" or "explanation"
	Name     string   `json:"challenge"`
	Lab      string   `json:"lab,omitempty"`
	Index    int      `json:"index,omitempty"` // of a hint, from 1
	Total    int      `json:"total,omitempty"`
	Text     string   `json:"text,omitempty"`
	Commands []string `json:"commands,omitempty"`
}

// spaced is a text as others than paper take it.
func spaced(text string) string { return strings.ReplaceAll(text, scenarios.Unbroken, " ") }

// paragraphs writes text that has an empty line between its paragraphs; the mark
// stands before the first.
func (p *paper) paragraphs(mark, text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			p.line("")
			mark = strings.Repeat(" ", columns(mark))
		}
		p.prose(mark, paragraph, nil)
	}
}

func (a *app) challengeHint(_ *cobra.Command, s sitting) error {
	total := len(s.Hints)
	r := a.remember(progress.Challenge, s.Name, func(r *progress.Record) { r.Last.Hints = min(r.Last.Hints+1, total) })
	n := min(max(r.Last.Hints, 1), total)
	text, command := s.Fill(s.Words.Hints[n-1], s.setting), s.Fill(s.Hints[n-1].Command, s.setting)
	if a.output == "json" {
		j := jsonHint{Version: jsonVersion, Type: "hint", Name: s.Name, Lab: s.lab, Index: n, Total: total, Text: spaced(text)}
		if command != "" {
			j.Commands = []string{command}
		}
		a.printJSON(j)
		return nil
	}
	p := a.paper()
	mark := a.fill("challenge.hint", "index", strconv.Itoa(n), "total", strconv.Itoa(total))
	if !scenarios.EndsWide(mark) {
		mark += " "
	}
	p.paragraphs(mark, text)
	if command != "" {
		p.command(indent, command)
	}
	if n == total {
		p.prose("", a.say("challenge.last-hint"), p.dim)
	}
	return nil
}

func (a *app) challengeSolution(_ *cobra.Command, s sitting) error {
	a.remember(progress.Challenge, s.Name, func(r *progress.Record) {
		if r.Last.Won == nil {
			r.Last.Shown = true
		}
	})
	var commands []string
	for _, line := range s.Solution {
		commands = append(commands, s.Fill(line, s.setting))
	}
	text := s.Fill(s.Words.Solution, s.setting)
	if a.output == "json" {
		a.printJSON(jsonHint{Version: jsonVersion, Type: "solution", Name: s.Name, Lab: s.lab, Text: spaced(text), Commands: commands})
		return nil
	}
	p := a.paper()
	if text != "" {
		p.paragraphs("", text)
	}
	for _, c := range commands {
		p.command(indent, c)
	}
	p.prose("", a.say("challenge.after-solution"), p.dim)
	return nil
}

func (a *app) challengeExplain(_ *cobra.Command, s sitting) error {
	if r := a.solvedChallenges()[s.Name]; r.Last.Won == nil && !r.Last.Shown && r.Solved == nil {
		return &usageError{Text: a.say("challenge.explain-after"), Next: "netlab challenge check"}
	}
	a.tellExplanation(s.Challenge, s.Fill(s.Words.Explanation, s.setting), s.lab)
	return nil
}

// explainByName explains a challenge that was solved once and need not be up.
func (a *app) explainByName(name string) (done bool, err error) {
	r := a.solvedChallenges()[name]
	if r.Solved == nil && r.Last.Won == nil {
		return false, nil
	}
	c, err := challenges.Load(name, a.lang)
	if err != nil {
		return false, nil
	}
	setting := scenarios.Setting{Lab: name, Values: c.Values(), Facts: machine.SandboxFacts()}
	a.tellExplanation(c, c.Fill(c.Words.Explanation, setting), "")
	return true, nil
}

func (a *app) tellExplanation(c challenges.Challenge, text, labName string) {
	if a.output == "json" {
		a.printJSON(jsonHint{Version: jsonVersion, Type: "explanation", Name: c.Name, Lab: labName, Text: spaced(text)})
		return
	}
	a.paper().paragraphs("", text)
}

// challengeLeave ends the sandbox, with all that is in it.
func (a *app) challengeLeave(cmd *cobra.Command, s sitting) error {
	if s.place.sandbox == nil {
		return &usageError{Text: a.say("challenge.exit-first"), Next: "exit"}
	}
	quiet := *a
	quiet.quiet = true // what is undone would tell what it was
	if err := quiet.teardownPlace(cmd.Context(), s.place, teardownOptions{}); err != nil || a.output == "json" || a.quiet {
		return err
	}
	a.paper().prose("", a.say("challenge.taken-down"), nil)
	return nil
}

// challengeReset builds the lab and breaks it anew: from outside in a new sandbox,
// inside in the same, where what the learner did besides the lab stays.
func (a *app) challengeReset(cmd *cobra.Command, s sitting) error {
	quiet := *a
	quiet.quiet = true
	if s.place.sandbox != nil {
		if err := quiet.teardownPlace(cmd.Context(), s.place, teardownOptions{}); err != nil {
			return err
		}
		fresh, err := a.challengeSandbox(cmd.Context(), s.Name, s.lab)
		if err != nil {
			return err
		}
		return fresh.Close()
	}
	if err := machine.Stay(); err != nil {
		return err
	}
	if err := quiet.teardownHere(cmd.Context(), s.lab, teardownOptions{}); err != nil {
		return err
	}
	if err := a.beginChallenge(cmd.Context(), s.Challenge, s.lab); err != nil {
		return err
	}
	v, err := s.Judge(cmd.Context(), s.kernel, s.setting, challenges.Patience, nil)
	if err == nil && !slices.Equal(v.Fails, s.Fails) {
		err = &usageError{Text: a.say("challenge.reset-outside"), Next: "exit"}
	}
	return err
}
