package main

import (
	"strconv"

	"netlab/lab"
	"netlab/lab/machine"
)

// jsonFinding is a finding as one line of JSON.
type jsonFinding struct {
	Version   int               `json:"v"`
	Type      string            `json:"type"` // "finding"
	ID        string            `json:"id"`
	Grade     string            `json:"grade"` // "ok", "warn", "stop"
	Scenarios []string          `json:"scenarios,omitempty"`
	Values    map[string]string `json:"values,omitempty"`
	Remedy    []string          `json:"remedy,omitempty"` // commands, in order
	Back      []string          `json:"back,omitempty"`   // those that take them back
}

// jsonDiagnosis is the last line.
type jsonDiagnosis struct {
	Version   int      `json:"v"`
	Type      string   `json:"type"` // "diagnosis"
	Machine   string   `json:"machine"`
	Scenarios []string `json:"scenarios"`
	Grade     string   `json:"grade"` // the gravest
	OK        int      `json:"ok"`
	Warn      int      `json:"warn"`
	Stop      int      `json:"stop"`
	Sandbox   bool     `json:"sandbox"` // a sandbox would work
}

func (a *app) showDiagnosis(d *diagnosis) {
	if a.output == "json" {
		a.printDiagnosis(d)
		return
	}
	v := &doctorView{a, a.paper(), d}
	what := v.what()
	if !a.quiet {
		head := "doctor.head"
		if !d.host {
			head = "doctor.head-sandbox"
		}
		v.prose("", v.bold.Sprint(a.fill(head, "what", what)), nil)
	}
	for _, f := range d.found {
		if !a.quiet || f.Grade != machine.OK {
			v.finding(f)
		}
	}
	if !a.quiet {
		v.sum(what)
	}
}

func (a *app) printDiagnosis(d *diagnosis) {
	for _, f := range d.found {
		a.printJSON(jsonFinding{
			jsonVersion, "finding", f.ID, f.Grade.String(), f.scenarios, f.Values, texts(commands(f.Finding)), texts(f.Back),
		})
	}
	j := jsonDiagnosis{
		Version: jsonVersion, Type: "diagnosis", Machine: place{}.kind(!d.host), Grade: d.worst().String(), Sandbox: d.sandbox,
		OK: d.count(machine.OK), Warn: d.count(machine.Warn), Stop: d.count(machine.Stop),
	}
	for _, s := range d.asked {
		j.Scenarios = append(j.Scenarios, s.Name)
	}
	a.printJSON(j)
}

func texts(commands []lab.Command) []string {
	var all []string
	for _, c := range commands {
		all = append(all, c.String())
	}
	return all
}

// commands are all that settles a finding, in order.
func commands(f machine.Finding) []lab.Command {
	if len(f.Remedy) == 0 {
		return nil
	}
	return append([]lab.Command{f.Remedy}, f.More...)
}

// doctorView prints a diagnosis: a line for what is fine, and for all else what
// it would cause and what to type.
type doctorView struct {
	*app
	*paper
	*diagnosis
}

func (v *doctorView) what() string {
	if len(v.asked) == 1 {
		return v.asked[0].Name
	}
	return v.say("doctor.all")
}

func (v *doctorView) finding(f diagnosed) {
	text := v.app.finding(f.Finding)
	if len(f.scenarios) > 0 && len(v.asked) > 1 {
		text = v.fill("doctor.of", "scenarios", v.list(f.scenarios), "what", text)
	}
	switch f.Grade {
	case machine.OK:
		v.prose(indent+v.green.Sprint("✓")+" ", text, nil)
		return
	case machine.Warn:
		v.prose(indent+v.bold.Sprint("!")+" ", text, nil)
	case machine.Stop:
		v.prose(indent+v.red.Sprint("✗")+" ", text, nil)
	}
	const inset = indent + indent
	v.prose(inset, v.say("effect."+f.ID), nil)
	if len(f.Remedy) == 0 {
		return
	}
	v.prose(inset, v.fill("doctor.remedy", "what", v.say("remedy."+f.ID)), nil)
	for _, c := range commands(f.Finding) {
		v.command(inset+indent, c.String())
	}
	if len(f.Back) == 0 {
		return
	}
	v.prose(inset, v.say("doctor.back"), nil)
	for _, c := range f.Back {
		v.command(inset+indent, c.String())
	}
}

func (v *doctorView) sum(what string) {
	v.line("")
	stops, warns := strconv.Itoa(v.count(machine.Stop)), strconv.Itoa(v.count(machine.Warn))
	switch v.worst() {
	case machine.OK:
		v.prose("", v.fill("doctor.fine", "what", what), v.bold)
		return
	case machine.Warn:
		v.prose("", v.fill("doctor.warned", "what", what, "warns", warns), v.bold)
		return
	}
	v.prose("", v.fill("doctor.stopped", "what", what, "stops", stops, "warns", warns), v.bold)
	var found []machine.Finding
	for _, f := range v.found {
		found = append(found, f.Finding)
	}
	again := v.plan.Again
	if together := machine.Together(again, found); together != nil && len(v.asked) == 1 {
		v.advice(v.say("doctor.together"), together.String())
	}
	if v.sandbox && v.host {
		v.advice(v.say("doctor.sandbox"), append(append(lab.Command{}, again...), "--sandbox").String())
	}
}

// machineNote is a warning before a run: one line, and behind the last of them
// where there is more; see noted.
func (v *textView) machineNote(e lab.Event) {
	v.prose("! ", v.app.finding(machine.Finding{ID: e.ID, Values: e.Values}), nil)
	v.warned = true
}

// noted says, once, where the machine's notes are explained.
func (v *textView) noted() {
	if v.warned {
		v.advice(v.say("doctor.note"), "netlab doctor "+v.scenario.Name)
		v.warned = false
	}
}
