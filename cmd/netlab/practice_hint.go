package main

import (
	"context"
	"slices"
	"strconv"

	"netlab/lab"
	"netlab/lab/practice"
	"netlab/scenarios"
)

// jsonPracticeHint is a hint, an explanation or the solution as one line of JSON.
type jsonPracticeHint struct {
	Version  int      `json:"v"`
	Type     string   `json:"type"` // "hint", "explanation" or "solution"
	Scenario string   `json:"scenario"`
	Lab      string   `json:"lab"`
	Step     string   `json:"step,omitempty"`
	Index    int      `json:"index,omitempty"` // of a hint, from 1
	Total    int      `json:"total,omitempty"`
	Text     string   `json:"text,omitempty"`
	Commands []string `json:"commands,omitempty"`
}

func (a *app) printPracticeHint(x *exercise, j jsonPracticeHint) {
	j.Version, j.Scenario, j.Lab, j.Text = jsonVersion, x.scenario.Name, x.lab, spaced(j.Text)
	a.printJSON(j)
}

// practiceHintText is one of the hints for what is missing.
type practiceHintText struct {
	text     string
	commands []string
}

// practiceHint shows one more hint.
func (a *app) practiceHint(ctx context.Context, x *exercise) error {
	v, _, err := a.look(ctx, x, practice.Own)
	if err != nil {
		return err
	}
	if v.Missing == nil {
		x.view.prose("", a.say("practice.nothing-left"), nil)
		return nil
	}
	hints, err := a.hintsFor(ctx, x, *v.Missing)
	if err != nil {
		return err
	}
	n := x.state.Ask(askedOf(*v.Missing), len(hints))
	if err := a.keep(x); err != nil {
		return err
	}
	a.record(x, nil)
	h := hints[n]
	if a.output == "json" {
		a.printPracticeHint(x, jsonPracticeHint{
			Type: "hint", Step: v.Missing.Step, Index: n + 1, Total: len(hints), Text: h.text, Commands: h.commands,
		})
		return nil
	}
	w := x.view
	mark := a.fill("challenge.hint", "index", strconv.Itoa(n+1), "total", strconv.Itoa(len(hints)))
	if !scenarios.EndsWide(mark) {
		mark += " "
	}
	w.prose(mark, h.text, nil)
	for _, c := range h.commands {
		w.command(indent, c)
	}
	return nil
}

// askedOf is short for what is missing.
func askedOf(m lab.Missing) string {
	if m.Op != nil {
		return m.Op.Command().String()
	}
	return m.Step + "/" + m.Check.ID
}

// hintsFor are the hints for what is missing, from a nudge to the command: why the step
// is, what should be and is not, the command with a part left out, the command.
func (a *app) hintsFor(ctx context.Context, x *exercise, m lab.Missing) ([]practiceHintText, error) {
	w := x.view
	hints := []practiceHintText{{text: w.text(w.words.Steps[m.Step].Why, nil)}}
	var commands []lab.Command
	if m.Op != nil {
		e := m.Event(x.lab)
		text := e.Error
		if e.Values != nil {
			text = w.differs(e)
		}
		hints = append(hints, practiceHintText{text: text})
		commands = []lab.Command{m.Op.Command()}
	} else {
		var causes []lab.Cause
		if x.plan.Explain != nil {
			var err error
			if causes, err = x.plan.Explain(ctx, x.kernel, m.Step); err != nil {
				return nil, err
			}
		}
		e := m.Event(x.lab)
		hints = append(hints, practiceHintText{text: a.sawOf(x, e)})
		for _, c := range causes {
			hints = append(hints, practiceHintText{text: x.view.causeWords(c.ID, c.Values)})
		}
		for o := range stepOf(x, m.Step).Outstanding(x.kernel) {
			commands = append(commands, o.Op.Command())
		}
		if len(commands) == 0 { // all is there, and something else is in the way
			for _, c := range causes {
				if c.Repair != nil {
					return append(hints, practiceHintText{text: a.say("practice.repair"), commands: []string{c.Repair.String()}}), nil
				}
			}
			return hints, nil
		}
	}
	var blanked, whole []string
	for _, c := range commands {
		blanked, whole = append(blanked, c.Blanked()), append(whole, c.String())
	}
	if x.state.Level == practice.Solo {
		hints = append(hints, practiceHintText{text: a.say("practice.fill-in"), commands: blanked})
	}
	return append(hints, practiceHintText{text: a.say("practice.one-way"), commands: whole}), nil
}

func stepOf(x *exercise, id string) lab.Step {
	i := slices.IndexFunc(x.plan.Steps, func(s lab.Step) bool { return s.ID == id })
	return x.plan.Steps[i]
}

// practiceShow explains the next step again.
func (a *app) practiceShow(ctx context.Context, x *exercise) error {
	v, news, err := a.look(ctx, x, practice.Own)
	if err != nil {
		return err
	}
	w := x.view
	if v.Missing == nil {
		w.prose("", a.say("practice.nothing-left"), nil)
		return nil
	}
	words := w.words.Steps[v.Missing.Step]
	if a.output == "json" {
		a.printPracticeHint(x, jsonPracticeHint{Type: "explanation", Step: v.Missing.Step, Text: w.text(words.Goal+" "+words.Why, nil)})
		return nil
	}
	a.announceStep(x, v)
	w.line("")
	w.prose(proseInset, w.text(words.Why, nil), nil)
	w.line("")
	w.prose(indent+w.bold.Sprint("→")+" ", scenarios.Adjoin(a.say("look"), w.text(words.Look, nil)), nil)
	for _, r := range stepOf(x, v.Missing.Step).Refusals {
		w.prose(indent, scenarios.Adjoin(a.say("practice.try"), w.text(words.Refusals[r.ID], nil)), nil)
		w.command(indent+indent, r.Op.Command().String())
	}
	for _, c := range stepOf(x, v.Missing.Step).Checks {
		w.prose(indent+"? ", w.text(w.words.Check(v.Missing.Step, c.ID).Question, nil), nil)
		w.command(indent+indent, c.Probe.Command().String())
	}
	a.tellMissing(x, v, news)
	return nil
}
