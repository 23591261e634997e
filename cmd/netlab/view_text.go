package main

import (
	"fmt"
	"strconv"
	"time"

	"netlab/lab"
	"netlab/scenarios"
)

// textView shows a scenario's events to a person, in the scenario's words.
type textView struct {
	*app
	*paper
	words     scenarios.Words
	values    map[string]string
	scenario  scenarios.Scenario
	changes   int // made in this step, and read back
	alike     alike
	pace      pace
	again     bool // this step was done before, and is verified
	said      causesSaid
	lookAt    string // led: the check whose line is the one to look at
	failedAt  string // the first step with a check that failed
	ending    bool   // a teardown follows
	led       bool   // a stepper announces the steps
	left      int    // undos not applied, because of others
	marksSaid bool   // what the marks in a packet's table mean
	warned    bool   // a note of the machine was said just now
}

const (
	indent     = "  "
	proseInset = "      " // as wide as "[1/7] "
)

func (v *textView) show(e lab.Event) {
	if e.Type == lab.Progress {
		v.progress(e)
		return
	}
	if v.quiet && !v.loud(e) {
		return
	}
	if e.Type == lab.CheckDone && e.Phase == lab.After && !*e.Holds && v.failedAt == "" {
		v.failedAt = e.Step
	}
	switch e.Type {
	case lab.RunStart:
		v.runStart(e)
	case lab.StepStart:
		v.stepStart(e)
	case lab.NoteSaid:
		if e.Step == "" {
			v.machineNote(e)
			return
		}
		v.prose(indent+"! ", v.text(v.step(e).Notes[e.ID], e.Values), nil)
	case lab.OpStart:
		if !v.alike.again(e) {
			v.command(indent, e.Command)
		}
	case lab.OpDone:
		v.changes++
	case lab.Refused:
		v.refused(e)
	case lab.CheckDone:
		if e.Phase != lab.Before {
			v.sameFor(e.Phase)
		}
		v.readBack(e)
		v.check(e)
	case lab.CheckOver:
		v.sameFor(e.Phase)
		v.readBack(e)
		v.prose(indent+"· ", scenarios.Adjoin(v.text(v.words.Check(e.Step, e.ID).Question, nil), v.fill("check.over", "step", e.Values["by"])), v.dim)
	case lab.OpFailed, lab.OpDiffers:
		shown := e.Type == lab.OpFailed && e.Phase != lab.AlreadyDone && !v.alike.without(e)
		v.sameFor(e.Phase)
		v.opFailed(e, shown)
	case lab.StepEnd:
		v.stepEnd(e)
	case lab.CauseSeen:
		v.cause(e)
	case lab.RunEnd:
		v.runEnd(e)
	default:
		v.undo(e)
	}
}

// loud tells which events are shown under --quiet: what failed, and the end.
func (v *textView) loud(e lab.Event) bool {
	switch e.Type {
	case lab.OpFailed, lab.OpDiffers, lab.CauseSeen, lab.UndoFail:
		return true
	case lab.CheckDone:
		return e.Phase == lab.After && e.Holds != nil && !*e.Holds
	case lab.RunEnd, lab.UndoEnd:
		return e.Outcome == lab.Failed || e.Outcome == lab.Interrupted
	}
	return false
}

func (v *textView) step(e lab.Event) scenarios.StepWords { return v.words.Steps[e.Step] }

// text fills a text with what the event says, over what the lab says.
func (v *textView) text(text string, values map[string]string) string {
	return scenarios.Fill(text, v.values, values)
}

func (v *textView) runStart(e lab.Event) {
	v.prose("", v.bold.Sprint(e.Lab)+" · "+v.words.Title, nil)
	v.prose("", v.fill("machine."+e.Machine, "uplink", v.values["uplink"]), v.dim)
	if e.Phase == lab.Planned {
		v.prose("", v.say("run.planned"), v.dim)
	}
	if v.verbose {
		v.line("")
		v.prose("", v.text(v.words.Intro, nil), nil)
	}
}

func (v *textView) stepStart(e lab.Event) {
	v.noted()
	v.changes, v.again, v.alike, v.pace = 0, e.Phase == lab.AlreadyDone, alike{}, pace{began: e.Time}
	v.fit()
	s := v.step(e)
	if v.led && e.Phase != lab.AlreadyDone {
		v.line("") // the stepper has announced it
		return
	}
	v.title(e.Index, e.Total, e.Step)
	if e.Phase == lab.AlreadyDone {
		return
	}
	v.prose(proseInset, v.text(s.Goal, nil), nil)
	if v.verbose {
		v.line("")
		v.prose(proseInset, v.text(s.Why, nil), nil)
		v.line("")
		v.prose(proseInset, scenarios.Adjoin(v.say("look"), v.text(s.Look, nil)), nil)
		v.line("")
	}
}

func (v *textView) title(index, total int, step string) {
	v.line("")
	number := fmt.Sprintf("[%d/%d] ", index, total)
	v.prose(number, v.bold.Sprint(v.text(v.words.Steps[step].Title, nil))+v.dim.Sprint(" · "+step), nil)
}

func (v *textView) stepEnd(e lab.Event) {
	v.sameFor(e.Phase)
	if e.Phase == lab.Planned {
		return
	}
	v.readBack(e)
	if v.verbose {
		v.prose(indent, v.fill("step.took", "time", short(e.Elapsed)), v.dim)
	}
}

func (v *textView) runEnd(e lab.Event) {
	if e.Phase == lab.Planned {
		return
	}
	v.line("")
	v.prose("", v.counts(e), v.bold)
	if v.ending && e.Outcome != lab.Failed {
		return // it is torn down at once
	}
	for _, tip := range []struct{ what, command string }{
		{"look", "netlab shell " + v.home(e)}, {"on", v.goOn(e)}, {"redo", v.redo(e)}, {"clean", "netlab teardown " + e.Lab},
	} {
		if label, ok := v.catalog["run."+e.Outcome+"."+tip.what]; ok && tip.command != "" {
			v.advice(label, tip.command)
		}
	}
}

// counts is how a run ended, in one line.
func (v *textView) counts(e lab.Event) string {
	return scenarios.Adjoin(v.say("run."+e.Outcome), v.fill("run.counts",
		"steps", strconv.Itoa(e.Steps), "total", strconv.Itoa(e.Total),
		"held", strconv.Itoa(e.Checks), "tried", strconv.Itoa(e.Tried), "time", short(e.Elapsed)))
}

// home is what `netlab shell` must be told to open the lab's own namespace.
func (v *textView) home(e lab.Event) string {
	if e.Lab == e.Scenario {
		return v.values["namespace"]
	}
	return e.Lab
}

// goOn is the command that goes on with a lab, in the way it was going.
func (v *textView) goOn(e lab.Event) string {
	command := "netlab run " + e.Scenario
	if e.Lab != e.Scenario {
		command += " --name " + e.Lab
	}
	if v.led {
		command += " --step"
	}
	return command
}

// redo is the command that makes a lab anew from the step that failed; empty
// where none did, or the first.
func (v *textView) redo(e lab.Event) string {
	if v.failedAt == "" {
		return ""
	}
	return v.goOn(e) + " --from " + v.failedAt
}

// short is a duration for people.
func short(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
