package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"netlab/lab/machine"
	"netlab/lab/progress"
	"netlab/scenarios"
	"netlab/scenarios/challenges"
)

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
	r, err := a.attempt(s, func(r *progress.Record) { r.Last.Hints = min(r.Last.Hints+1, total) })
	if err != nil {
		return err
	}
	n := min(max(r.Last.Hints, 1), total)
	text, command := s.Fill(s.Words.Hints[n-1], s.setting), s.Fill(s.Hints[n-1].Command, s.setting)
	if a.output == "json" {
		a.printJSON(jsonHint{
			Version: jsonVersion, Type: "hint", Name: s.Name, Lab: s.lab, Index: n, Total: total,
			Text: spaced(text), Commands: []string{command},
		})
		return nil
	}
	p := a.paper()
	mark := a.fill("challenge.hint", "index", strconv.Itoa(n), "total", strconv.Itoa(total))
	if !scenarios.EndsWide(mark) {
		mark += " "
	}
	p.paragraphs(mark, text)
	p.command(indent, command)
	if n == total {
		p.prose("", a.say("challenge.last-hint"), p.dim)
	}
	return nil
}

func (a *app) challengeSolution(_ *cobra.Command, s sitting) error {
	if _, err := a.attempt(s, func(r *progress.Record) {
		if r.Last.Won == nil {
			r.Last.Shown = true
		}
	}); err != nil {
		return err
	}
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
	r, err := attemptsIn(s.place).Record(progress.Challenge, s.Name)
	if err != nil {
		return err
	}
	if r.Last.Won == nil && !r.Last.Shown && a.known(progress.Challenge)[s.Name].Solved == nil {
		return &usageError{Text: a.say("challenge.explain-after"), Next: "netlab challenge check"}
	}
	a.tellExplanation(s.Challenge, s.Fill(s.Words.Explanation, s.setting), s.lab)
	return nil
}

// explainByName explains a challenge that was solved once and need not be up.
func (a *app) explainByName(name string) (done bool, err error) {
	r := a.known(progress.Challenge)[name]
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
