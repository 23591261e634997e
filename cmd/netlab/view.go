package main

import (
	"strings"

	"netlab/lab"
	"netlab/scenarios"
)

// view is the view of a scenario's events that the flags ask for.
// ending: a teardown follows at once.
func (a *app) view(s scenarios.Scenario, setting scenarios.Setting, ending bool) (func(lab.Event), error) {
	if a.output == "json" {
		return a.jsonView(), nil
	}
	words, err := scenarios.LoadWords(s.Name, "en")
	if err != nil {
		return nil, err
	}
	return (&textView{app: a, paper: a.paper(), words: words, values: s.Words(setting), scenario: s, ending: ending}).show, nil
}

func (a *app) scenarioTitle(s scenarios.Scenario) string {
	w, err := scenarios.LoadWords(s.Name, "en")
	if err != nil {
		return "[" + err.Error() + "]" // a test loads every scenario's words
	}
	return w.Title
}

// scenarioIntro is the introduction with the values that it has by default.
func (a *app) scenarioIntro(s scenarios.Scenario) string {
	w, err := scenarios.LoadWords(s.Name, "en")
	if err != nil {
		return "[" + err.Error() + "]"
	}
	intro := scenarios.Fill(w.Intro, s.Words(scenarios.Setting{Values: s.Defaults()}))
	return strings.Join(wrap(intro, defaultColumns), "\n")
}
