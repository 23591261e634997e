package main

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"netlab/lab"
	"netlab/lab/machine"
	"netlab/lab/practice"
	"netlab/lab/progress"
)

// jsonPractice is a practice as one line of JSON: how it stands or, in the list of all,
// what there is.
type jsonPractice struct {
	Version  int              `json:"v"`
	Type     string           `json:"type"` // "practice"
	Scenario string           `json:"scenario"`
	Title    string           `json:"title,omitempty"`
	Lab      string           `json:"lab,omitempty"`
	Level    practice.Level   `json:"level,omitempty"`
	Step     string           `json:"step,omitempty"` // the next one
	Index    int              `json:"index,omitempty"`
	Total    int              `json:"total"`
	Passed   []string         `json:"passed,omitempty"` // by this look
	Stand    int              `json:"stand,omitempty"`
	Of       int              `json:"of,omitempty"`
	Missing  *lab.Event       `json:"missing,omitempty"`
	Lost     bool             `json:"lost,omitempty"`
	Proven   bool             `json:"proven,omitempty"`
	Steps    []practice.Step  `json:"steps,omitempty"`
	Progress *progress.Record `json:"progress,omitempty"`
}

func (a *app) tellJSON(_ context.Context, x *exercise, v lab.Verdict) error {
	line := jsonPractice{
		Version: jsonVersion, Type: "practice", Scenario: x.scenario.Name, Lab: x.lab, Level: x.state.Level,
		Total: len(x.state.Steps), Steps: x.state.Steps, Lost: v.Lost, Stand: v.Stand, Of: v.Of, Proven: v.Missing == nil,
	}
	for _, p := range v.Passed {
		line.Passed = append(line.Passed, p.ID)
	}
	if v.Missing != nil {
		e := v.Missing.Event(x.lab)
		e.Time = a.now()
		line.Missing = &e
		line.Step, line.Index = x.state.Steps[v.Next].ID, v.Next+1
	}
	a.printJSON(line)
	return nil
}

// welcome says what a practice is, and where it stands.
func (a *app) welcome(ctx context.Context, x *exercise, begun bool) error {
	v, news, err := a.look(ctx, x, practice.Own)
	if err != nil {
		return err
	}
	if a.output == "json" {
		return a.tellJSON(ctx, x, v)
	}
	if a.quiet {
		return nil
	}
	w := x.view
	w.prose("", w.bold.Sprint(x.lab)+" · "+w.words.Title, nil)
	where := a.say("practice.where")
	if _, inside, err := machine.Here(); err == nil && !inside {
		where = a.fill("practice.where-host", "command", unbroken("netlab teardown "+x.lab))
	}
	w.prose("", where, w.dim)
	w.line("")
	if !begun {
		w.prose("", w.text(w.words.Intro, nil), nil)
		w.line("")
	}
	w.prose("", a.say("practice.how"), nil)
	var rows [][2]string
	for _, sub := range []string{"hint", "show", "skip", "solution", "reset"} {
		rows = append(rows, [2]string{sub, a.say("short.practice." + sub)})
	}
	rows = append(rows, [2]string{"netlab diagram", a.say("challenge.diagram")})
	w.rows(append(rows, [2]string{"exit", a.fill("practice.exit", "command", unbroken(startOf("practice", x.scenario.Name, x.lab).String()))}))
	if begun {
		w.line("")
		a.tellSteps(x)
	}
	a.tellVerdictOf(x, v, news, true)
	return nil
}

// tellVerdictOf says what a look has seen: what is satisfied now, and what comes next
// or is missing. asked: also when nothing has changed.
func (a *app) tellVerdictOf(x *exercise, v lab.Verdict, news practice.News, asked bool) {
	w := x.view
	for _, p := range v.Passed {
		a.tellPassed(x, p)
	}
	switch {
	case news.Proven:
		a.tellProven(x)
		return
	case v.Missing == nil:
		if asked || news.Changed {
			w.prose(w.mark(true), a.say("practice.all-stands"), nil)
		}
		return
	case v.Lost:
		w.prose(w.mark(false), a.fill("practice.lost", "step", x.plan.Steps[v.Next].ID, "missing", a.lacks(x, *v.Missing)), nil)
		return
	case len(v.Passed) > 0 || news.Regained || asked:
		a.announceStep(x, v)
		if v.Stand == 0 && (v.Missing.Op != nil || len(v.Passed) > 0) {
			return // it is only begun
		}
	}
	a.tellMissing(x, v, news)
}

func (a *app) tellPassed(x *exercise, p lab.PassedStep) {
	w := x.view
	i := slices.IndexFunc(x.plan.Steps, func(s lab.Step) bool { return s.ID == p.ID })
	number := "[" + strconv.Itoa(i+1) + "/" + strconv.Itoa(len(x.plan.Steps)) + "] "
	w.prose(w.green.Sprint("✓")+" "+number, w.bold.Sprint(w.text(w.words.Steps[p.ID].Title, nil))+w.dim.Sprint(" · "+p.ID), nil)
	if !changes(x.plan.Steps[i]) { // nobody was told of it before
		w.prose(proseInset, w.text(w.words.Steps[p.ID].Goal, nil), nil)
	}
	for _, e := range p.Seen {
		w.check(e)
	}
	if len(p.Otherwise) > 0 {
		w.prose(indent+"· ", a.say("practice.otherwise"), nil)
		for _, c := range p.Otherwise {
			w.command(indent+indent, c.String())
		}
	}
}

// announceStep says what is to be reached next and, at the levels that do, with which
// commands.
func (a *app) announceStep(x *exercise, v lab.Verdict) {
	w, step := x.view, x.plan.Steps[v.Next]
	w.title(v.Next+1, len(x.plan.Steps), step.ID)
	w.prose(proseInset, w.text(w.words.Steps[step.ID].Goal, nil), nil)
	for _, n := range step.Notes {
		w.prose(indent+"! ", w.text(w.words.Steps[step.ID].Notes[n.ID], n.Values), nil)
	}
	if x.state.Level == practice.Solo {
		a.tellGiven(x, step)
		return
	}
	said := false
	for m := range step.Outstanding(x.kernel) {
		if !said {
			w.line("")
			w.prose(indent, a.say("practice.level."+string(x.state.Level)), w.dim)
			said = true
		}
		w.command(indent, leveled(x.state.Level, m.Op))
	}
}

// tellGiven says what is to be called what, and which addresses go where, group by
// group. At the levels that show commands, those say it.
func (a *app) tellGiven(x *exercise, step lab.Step) {
	w := x.view
	var groups []string
	said := map[string][]string{}
	for _, g := range step.Given() {
		if !slices.Contains(groups, g.Group) {
			groups = append(groups, g.Group)
		}
		ns := cmp.Or(g.NS, a.say("the-host"))
		text := a.fill("practice.given-link", "link", g.Link, "ns", ns)
		if g.Route != "" {
			text = a.fill("practice.given-route", "dst", g.Route)
		}
		if g.Address != "" {
			text = a.fill("practice.given-address", "address", unbroken(g.Address), "link", g.Link, "ns", ns)
		}
		said[g.Group] = append(said[g.Group], text)
	}
	for i, group := range groups {
		if i == 0 {
			w.line("")
			w.prose(indent, a.say("practice.given"), w.dim)
		}
		mark := indent
		if group != "" {
			mark += group + ": "
		}
		w.prose(mark, strings.Join(said[group], a.say("practice.given-and")), nil)
	}
}

// leveled is an op's command as that level shows it.
func leveled(level practice.Level, o lab.Op) string {
	if level == practice.Fill {
		return o.Command().Blanked()
	}
	return o.Command().String()
}
