package main

import (
	"strconv"
	"strings"

	"netlab/lab"
	"netlab/lab/practice"
	"netlab/scenarios"
)

// tellMissing says how much of the next step stands, and what is the first that does
// not.
func (a *app) tellMissing(x *exercise, v lab.Verdict, news practice.News) {
	w := x.view
	key := "practice.missing"
	switch {
	case v.Missing.Op == nil && v.Of == 0:
		key = "practice.check-fails"
	case v.Missing.Op == nil:
		key = "practice.stands-but"
	case news.Vain:
		key = "practice.no-nearer"
	}
	w.prose(indent+"· ", a.fill(key, "stand", strconv.Itoa(v.Stand), "of", strconv.Itoa(v.Of), "missing", a.lacks(x, *v.Missing)), nil)
}

// lacks names what is missing, and not what it should be: that is a hint. Of one of many
// alike it says which.
func (a *app) lacks(x *exercise, m lab.Missing) string {
	e := m.Event(x.lab)
	if m.Op == nil {
		return a.sawOf(x, e)
	}
	if e.Values == nil { // not a mismatch: it could not be read
		return e.Error
	}
	object, field := x.view.object(e.Values["object"]), e.Values["field"]
	text := a.fill("practice.field", "object", object, "field", a.wordFor("field.", field))
	switch {
	case field == "name" && strings.HasPrefix(e.Values["want"], "in "):
		text = a.fill("practice.placed", "object", object, "where", x.view.state(e.Values["want"]))
	case field == "name", field == "path" && e.Values["found"] == "missing":
		text = object
	}
	if m.Group != "" && !strings.Contains(text, m.Group) {
		text = a.fill("practice.of", "group", m.Group, "missing", text)
	}
	return text
}

// sawOf is what a check asks, and what it saw.
func (a *app) sawOf(x *exercise, e lab.Event) string {
	w := x.view.words.Check(e.Step, e.ID)
	seen, ok := w.Outcomes[e.Outcome]
	if !ok {
		seen = a.say("outcome." + e.Outcome)
	}
	return scenarios.Adjoin(x.view.text(w.Question, nil), x.view.text(seen, e.Values))
}
