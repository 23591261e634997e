package main

import (
	"strconv"

	"netlab/lab/practice"
)

// tellSteps lists the steps, those that are reached with how.
func (a *app) tellSteps(x *exercise) {
	w := x.view
	for i, s := range x.state.Steps {
		mark, text := "· ", w.dim.Sprint(w.text(w.words.Steps[s.ID].Title, nil))
		switch {
		case !s.Reached.IsZero():
			mark, text = w.green.Sprint("✓")+" ", a.outcomeOf(s)
		case i == x.state.Next:
			mark, text = "→ ", w.text(w.words.Steps[s.ID].Title, nil)
		}
		w.prose(indent+mark+w.bold.Sprintf("%-16s", s.ID)+" ", text, nil)
	}
}

// outcomeOf says how a step was reached.
func (a *app) outcomeOf(s practice.Step) string {
	pairs := []string{"tries", strconv.Itoa(s.Tries), "hints", strconv.Itoa(s.Hints), "time", unbroken(took(s.Took()))}
	switch {
	case s.By != practice.Own:
		return a.fill("practice.by."+string(s.By), pairs...)
	case s.Tries == 0 && s.Hints == 0:
		return a.say("practice.by.itself")
	}
	return a.fill("practice.by.own", pairs...)
}

// tellProven is the summary.
func (a *app) tellProven(x *exercise) {
	w := x.view
	reached, own := x.state.Counts()
	tries, hints := x.state.Sum()
	w.line("")
	w.prose("", a.fill("practice.proven", "total", strconv.Itoa(reached)), w.bold)
	a.tellSteps(x)
	w.line("")
	pairs := []string{
		"own", strconv.Itoa(own), "total", strconv.Itoa(reached), "tries", strconv.Itoa(tries), "hints", strconv.Itoa(hints),
		"time", unbroken(took(x.state.Took())),
	}
	w.prose("", a.fill("practice.sum", pairs...), nil)
	if h := x.state.Hardest(); h != nil {
		w.prose("", a.fill("practice.hardest", "step", h.ID, "tries", strconv.Itoa(h.Tries)), nil)
	}
	key := "practice.counts"
	if x.state.Helped() {
		key = "practice.counts-not"
	}
	w.prose("", a.say(key), nil)
	if !a.quiet {
		w.prose("", a.say("challenge.then-exit"), w.dim)
	}
}
