package main

import (
	"slices"
	"strconv"
	"strings"

	"netlab/lab"
	"netlab/scenarios"
)

// whatIfView is the view of trials that the flags ask for.
func (a *app) whatIfView(s scenarios.Scenario, values scenarios.Values) (whatIfView, error) {
	if a.output == "json" {
		return whatIfView{
			start: func([]trial) {},
			row:   func(r whatIfRow) { a.printJSON(r) },
			end:   func(e whatIfEnd) { a.printJSON(e) },
		}, nil
	}
	tell, err := a.whatIfTeller(s, values)
	if err != nil {
		return whatIfView{}, err
	}
	if a.output == markdown {
		v := &whatIfMarkdown{whatIfTeller: tell}
		return whatIfView{start: v.start, row: v.row, end: v.end}, nil
	}
	v := &whatIfText{whatIfTeller: tell}
	return whatIfView{start: v.start, row: v.row, end: v.end}, nil
}

// whatIfText is the matrix for a terminal: a column for each check, under a letter,
// and a row for each trial, with what it means below.
type whatIfText struct {
	*whatIfTeller
	label int // how wide the labels are
}

func (v *whatIfText) start(trials []trial) {
	v.prose("", v.bold.Sprint(v.scenario.Name)+" · "+v.question(trials), nil)
	v.prose("", v.say("machine.sandbox"), v.dim)
	if !v.quiet {
		v.line("")
		for i, c := range v.checks {
			v.prose(indent+v.bold.Sprint(letter(i))+indent, v.asked(c), nil)
		}
		v.line("")
		v.prose("", v.say("whatif.reading"), v.dim)
	}
	for _, t := range trials {
		v.label = max(v.label, columns(t.label(v.app)))
	}
	v.line("")
	var letters []string
	for i := range v.checks {
		letters = append(letters, letter(i))
	}
	v.cells("", v.bold.Sprint(strings.Join(letters, " ")))
}

// cells writes a row, or where it is too wide, its label above it.
func (v *whatIfText) cells(label, cells string) {
	gap := indent
	if len(indent)+v.label+len(gap)+columns(cells) <= v.paper.columns {
		v.line(indent + pad(label, v.label) + gap + cells)
		return
	}
	if label != "" {
		v.line(indent + label)
	}
	v.line(indent + indent + cells)
}

func (v *whatIfText) row(r whatIfRow) {
	v.fit()
	v.about(r)
	var marks []string
	for i := range v.checks {
		switch held, tried := v.held(r, i); {
		case !tried:
			marks = append(marks, v.dim.Sprint("·"))
		case held:
			marks = append(marks, "✓")
		default:
			marks = append(marks, v.red.Sprint("✗"))
		}
	}
	v.cells(r.label(v.app), strings.Join(marks, " "))
	if v.quiet {
		return
	}
	for _, s := range v.meaning(r) {
		v.prose(indent+indent+s.mark, s.text, nil)
		if s.command != "" {
			v.command(indent+indent+indent, s.command)
		}
		if s.words != "" {
			v.prose(indent+indent+indent, s.words, nil)
		}
	}
}

func (v *whatIfText) end(e whatIfEnd) {
	if text := v.verdict(e); text != "" && !v.quiet {
		v.line("")
		v.prose("", text, nil)
	}
}

// letter names the i-th column.
func letter(i int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	return letters[i%len(letters) : i%len(letters)+1]
}

// whatIfTeller says in words what trials show.
type whatIfTeller struct {
	*textView
	checks []whatIfCell // one for each column: Step and ID
	given  scenarios.Values
}

func (a *app) whatIfTeller(s scenarios.Scenario, values scenarios.Values) (*whatIfTeller, error) {
	w := &whatIfTeller{given: values}
	setting, err := a.sandboxed(s, values)
	if err != nil {
		return nil, err
	}
	if w.textView, err = a.textView(s, setting, true); err != nil {
		return nil, err
	}
	for _, step := range s.Steps(setting) {
		for _, c := range step.Checks {
			w.checks = append(w.checks, whatIfCell{Step: step.ID, ID: c.ID})
		}
	}
	return w, nil
}

// about makes the words speak of the row's own values.
func (w *whatIfTeller) about(r whatIfRow) {
	setting, err := w.sandboxed(w.scenario, r.values(w.scenario, w.given))
	if err == nil {
		w.textView.values = w.scenario.Words(setting)
	}
}

// question is what the trials ask.
func (w *whatIfTeller) question(trials []trial) string {
	t := trials[len(trials)-1]
	switch {
	case len(trials) > 2 || len(trials) == 1:
		return w.say("whatif.question")
	case len(t.Set) == 0:
		return w.fill("whatif.question.skip", "steps", w.list(t.Skip))
	case len(t.Skip) == 0:
		return w.fill("whatif.question.set", "what", t.label(w.app))
	}
	return w.fill("whatif.question.both", "steps", w.list(t.Skip), "what", trial{Set: t.Set}.label(w.app))
}

// asked is what the check of a column asks.
func (w *whatIfTeller) asked(c whatIfCell) string {
	return w.text(w.words.Check(c.Step, c.ID).Question, nil)
}

// held is the cell of a column.
func (w *whatIfTeller) held(r whatIfRow, column int) (held, tried bool) {
	c := w.checks[column]
	i := slices.IndexFunc(r.Checks, func(x whatIfCell) bool { return x.Step == c.Step && x.ID == c.ID })
	return i >= 0 && r.Checks[i].Holds, i >= 0
}

// sentence is one thing to be said of a row; command and words may follow it.
type sentence struct {
	mark, text, command, words string
}

// meaning says what a row shows: what can't be done any more, what is seen first of it,
// and what the cause is; with -v, all of each.
func (w *whatIfTeller) meaning(r whatIfRow) []sentence {
	if r.nothing() && r.holds() {
		return nil
	}
	if r.Same {
		return []sentence{{text: w.unchanged(r)}}
	}
	most := 1
	if w.verbose {
		most = len(r.Refused) + len(r.Checks) + len(r.Causes)
	}
	var all []sentence
	for i, op := range r.Refused {
		if i == most {
			all = append(all, sentence{text: w.moreRefused(len(r.Refused) - most)})
			break
		}
		all = append(all, sentence{text: w.fill("whatif.refused", "step", op.Step), command: op.Command, words: op.Error})
	}
	seen := 0
	for i, c := range w.checks {
		n := slices.IndexFunc(r.Checks, func(x whatIfCell) bool { return x.Step == c.Step && x.ID == c.ID && !x.Holds })
		if n < 0 || seen == most {
			continue
		}
		seen++
		all = append(all, sentence{mark: letter(i) + ": ", text: w.seen(r.Checks[n])})
	}
	return append(all, w.causes(r, most)...)
}

func (w *whatIfTeller) moreRefused(count int) string {
	if count == 1 {
		return w.say("whatif.more-refused.one")
	}
	return w.fill("whatif.more-refused", "count", strconv.Itoa(count))
}

// seen is what a check asks, and what came of it.
func (w *whatIfTeller) seen(c whatIfCell) string {
	words := w.words.Check(c.Step, c.ID)
	outcome, ok := words.Outcomes[c.Outcome]
	if !ok {
		outcome = w.say("outcome." + c.Outcome)
	}
	return scenarios.Adjoin(w.text(words.Question, nil), w.text(outcome, c.Values))
}

// causes says why, each cause once.
func (w *whatIfTeller) causes(r whatIfRow, most int) []sentence {
	var all []sentence
	for _, c := range r.Causes {
		if c.ID == lab.NoCause {
			continue
		}
		key := "whatif.cause"
		if c.Values["certain"] == "no" {
			key = "whatif.cause.perhaps"
		}
		s := sentence{text: w.fill(key, "cause", w.causeWords(c.ID, c.Values))}
		if !slices.Contains(all, s) && len(all) < most {
			all = append(all, s)
		}
	}
	return all
}

// unchanged says that a row is as with nothing left out, and why, where that is known.
func (w *whatIfTeller) unchanged(r whatIfRow) string {
	said := []string{w.say("whatif.same")}
	if r.Why != "" {
		said = append(said, w.say("whatif.same."+r.Why))
	}
	for i, c := range w.checks {
		if took, usual, ok := r.later(c.Step, c.ID); ok {
			said = append(said, w.fill("whatif.later", "check", letter(i), "time", short(took), "usual", short(usual)))
		}
	}
	for _, set := range r.Set {
		if len(r.Skip) > 0 {
			break // what is known, is known of the whole lab
		}
		if text, ok := w.catalog["vary-same."+w.scenario.Name+"."+set.Name]; ok {
			said = append(said, w.text(text, nil))
		}
	}
	return scenarios.Adjoin(said...)
}

// verdict is what all rows come to.
func (w *whatIfTeller) verdict(e whatIfEnd) string {
	values := []string{"needed", strconv.Itoa(len(e.Needed)), "count", strconv.Itoa(len(e.Needed) + len(e.Idle)), "idle", w.list(e.Idle)}
	switch {
	case !e.Holds:
		return w.say("whatif.verdict.broken")
	case len(e.Needed)+len(e.Idle) < 2:
		return ""
	case len(e.Idle) == 0:
		return w.fill("whatif.verdict.all", values...)
	}
	return w.fill("whatif.verdict.some", values...)
}
