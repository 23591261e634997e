package main

import (
	"errors"
	"io/fs"

	"netlab/lab"
	"netlab/scenarios"
)

// view is the view of a scenario's events that the flags ask for.
// ending: a teardown follows at once.
func (a *app) view(s scenarios.Scenario, setting scenarios.Setting, ending bool) (func(lab.Event), error) {
	if a.output == "json" {
		return a.jsonView(), nil
	}
	v, err := a.textView(s, setting, ending)
	if err != nil {
		return nil, err
	}
	return v.show, nil
}

func (a *app) textView(s scenarios.Scenario, setting scenarios.Setting, ending bool) (*textView, error) {
	words, err := a.wordsOf(s)
	if err != nil {
		return nil, err
	}
	return &textView{app: a, paper: a.paper(), words: words, values: s.Words(setting), scenario: s, ending: ending}, nil
}

// wordsOf are a scenario's words in our language; in English, where it has not
// been written in ours.
func (a *app) wordsOf(s scenarios.Scenario) (scenarios.Words, error) {
	return a.spoken(s, scenarios.LoadWords)
}

// spoken loads words in the user's language, or where there are none, in English.
func (a *app) spoken(s scenarios.Scenario, load func(scenario, lang string) (scenarios.Words, error)) (scenarios.Words, error) {
	w, err := load(s.Name, a.lang)
	if errors.Is(err, fs.ErrNotExist) {
		return load(s.Name, english)
	}
	return w, err
}

// opening is a scenario's title and introduction, read once.
func (a *app) opening(s scenarios.Scenario) (scenarios.Words, error) {
	if w, read := a.openings[s.Name]; read {
		return w, nil
	}
	w, err := a.spoken(s, scenarios.LoadOpening)
	if err != nil {
		return w, err
	}
	if a.openings == nil {
		a.openings = map[string]scenarios.Words{}
	}
	a.openings[s.Name] = w
	return w, nil
}

func (a *app) scenarioTitle(s scenarios.Scenario) string {
	w, err := a.opening(s)
	if err != nil {
		return "[" + err.Error() + "]" // a test loads every scenario's words
	}
	return w.Title
}

// scenarioIntro is the introduction with the values that it has by default.
func (a *app) scenarioIntro(s scenarios.Scenario) string {
	w, err := a.opening(s)
	if err != nil {
		return "[" + err.Error() + "]"
	}
	return scenarios.Fill(w.Intro, s.Words(scenarios.Setting{Values: s.Defaults()}))
}
