package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"netlab/lab"
	"netlab/lab/progress"
	"netlab/scenarios"
	"netlab/scenarios/challenges"
)

// jsonVerdict is how a challenge stands, as one line of JSON.
type jsonVerdict struct {
	Version int              `json:"v"`
	Type    string           `json:"type"` // "verdict"
	Name    string           `json:"challenge"`
	Lab     string           `json:"lab"`
	Won     bool             `json:"won"`
	Fails   []string         `json:"fails"`
	Waiting []string         `json:"waiting,omitempty"`
	Gone    []string         `json:"gone,omitempty"`
	Attempt progress.Attempt `json:"attempt"`
}

// challengeCheck judges the lab: every check, and whether all still stands.
func (a *app) challengeCheck(cmd *cobra.Command, s sitting) error {
	view, err := a.judgeView(s)
	if err != nil {
		return err
	}
	v, err := s.Judge(cmd.Context(), s.kernel, s.setting, challenges.Patience, view)
	if err != nil {
		return err
	}
	r, err := a.attempt(s, func(r *progress.Record) {
		if r.Last.Won != nil {
			return
		}
		r.Last.Tries++
		if v.Won() {
			r.Win(a.now())
		}
	})
	if err != nil {
		return err
	}
	if a.output == "json" {
		j := jsonVerdict{Version: jsonVersion, Type: "verdict", Name: s.Name, Lab: s.lab, Won: v.Won(), Fails: append([]string{}, v.Fails...), Waiting: v.Waiting, Attempt: r.Last}
		for _, g := range v.Gone {
			j.Gone = append(j.Gone, g.Command.String())
		}
		a.printJSON(j)
	} else {
		a.tellVerdict(s, v, r)
	}
	if !v.Won() {
		return fmt.Errorf("challenge %s: %w: %w", s.Name, errShown, lab.ErrFailed)
	}
	return nil
}

// judgeView shows checks in the scenario's words, and the challenge's own.
func (a *app) judgeView(s sitting) (func(lab.Event), error) {
	if a.output == "json" {
		return a.jsonView(), nil
	}
	view, err := a.textView(s.Scenario, s.setting, false)
	if err != nil {
		return nil, err
	}
	view.words.Steps[challenges.StepPrefix+"1"] = scenarios.StepWords{Checks: s.Words.Checks}
	return func(e lab.Event) {
		e.Journey = nil // would say where the packet stops
		if a.quiet && *e.Holds {
			return
		}
		view.judged(e)
	}, nil
}

// judged shows a check in one line: what came or, where it fails, what it asks.
func (v *textView) judged(e lab.Event) {
	w := v.words.Check(e.Step, e.ID)
	seen, ok := w.Outcomes[e.Outcome]
	if !ok {
		seen = v.say("outcome." + e.Outcome)
	}
	text := v.text(seen, e.Values)
	if !*e.Holds { // what was seen instead may be all there is to find out
		text = v.text(w.Question, nil)
	}
	v.prose(v.mark(*e.Holds), text, nil)
	if v.verbose {
		v.command(indent+indent, e.Command)
	}
}

// goneText says in our language what is not as it must be.
func (a *app) goneText(s sitting, err error) string {
	var differs *lab.Mismatch
	view, broken := a.textView(s.Scenario, s.setting, false)
	if broken != nil || !errors.As(err, &differs) {
		return err.Error()
	}
	return view.differs(lab.Event{Values: map[string]string{
		"object": differs.Object, "field": differs.Field, "want": differs.Want, "found": differs.Found,
	}})
}

func (a *app) tellVerdict(s sitting, v challenges.Verdict, r progress.Record) {
	p := a.paper()
	for _, g := range v.Gone {
		key := "challenge.gone"
		if g.Kept {
			key = "challenge.not-kept"
		}
		p.prose(indent+p.red.Sprint("✗")+" ", a.fill(key, "command", unbroken(g.Command.String()), "error", a.goneText(s, g.Err)), nil)
	}
	p.line("")
	if !v.Won() {
		key := "challenge.not-yet"
		switch {
		case len(v.Gone) > 0 && len(v.Fails) == 0:
			key = "challenge.works-but"
		case len(v.Gone) > 0:
			key = "challenge.not-yet-gone"
		}
		p.prose("", a.fill(key, "failed", strconv.Itoa(len(v.Fails)), "tried", strconv.Itoa(v.Tried)), p.bold)
		p.advice(a.say("challenge.stuck"), "netlab challenge hint")
		return
	}
	key := "challenge.won"
	if r.Last.Shown {
		key = "challenge.won-shown"
	}
	p.prose("", a.fill(key, "challenge", s.Name, "time", took(r.Last.Took()),
		"tries", strconv.Itoa(r.Last.Tries), "hints", strconv.Itoa(r.Last.Hints)), p.bold)
	p.advice(a.say("challenge.read"), "netlab challenge explain")
	if os.Getenv("NETLAB_LAB") != "" { // in the sandbox's shell
		p.prose("", a.say("challenge.then-exit"), nil)
		return
	}
	p.advice(a.say("challenge.clean"), "netlab challenge leave")
}
