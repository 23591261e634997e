package main

import (
	"strconv"
	"strings"

	"netlab/lab"
	"netlab/scenarios"
	"netlab/scenarios/challenges"
)

// undo shows the events of a teardown. It needs no scenario's words: what is
// undone may come from a scenario that this netlab does not know.
func (v *textView) undo(e lab.Event) {
	if e.Type == lab.Progress {
		v.progress(e)
		return
	}
	if v.quiet && !v.loud(e) {
		return
	}
	if e.Step != v.alike.step || e.Group == "" {
		v.sameFor("")
		v.alike.step = e.Step
	}
	switch e.Type {
	case lab.UndoStart:
		v.pace = pace{began: e.Time}
		v.prose("", v.fill("undo.start", "lab", v.bold.Sprint(e.Lab)), nil)
	case lab.UndoDone:
		if !v.alike.again(e) {
			v.command(indent, e.Command)
			if v.verbose && strings.Contains(e.Command, "ip_forward=") && strings.Contains(e.Command, ".accept_redirects=") {
				v.prose(indent+indent, v.say("undo.along"), v.dim)
			}
		}
	case lab.UndoSkip:
		if e.Outcome == lab.SkipGone && challenges.BreaksIn(e.Step) {
			v.prose(indent+"- ", v.fill("undo.repaired", "command", unbroken(e.Command)), nil)
			return
		}
		if e.Outcome != lab.SkipGone {
			v.left++
		}
		v.prose(indent+"- ", v.fill("undo.skip", "command", unbroken(e.Command),
			"why", scenarios.Fill(v.say("undo.skip."+e.Outcome), e.Values)), nil)
	case lab.UndoFail:
		if e.Command != "" {
			v.command(indent, e.Command)
		}
		v.prose(v.mark(false), v.fill("op.failed", "error", e.Error), nil)
	case lab.UndoEnd:
		key := "undo." + e.Outcome
		if e.Outcome == lab.Down && v.left > 0 {
			key = "undo.down-but"
		}
		v.prose("", scenarios.Fill(v.fill(key,
			"lab", v.bold.Sprint(e.Lab), "step", e.Step, "left", strconv.Itoa(e.Total), "time", short(e.Elapsed)), e.Values), nil)
	}
}

// undoView shows a teardown.
func (a *app) undoView() func(lab.Event) {
	if a.output == "json" {
		return a.jsonView()
	}
	return (&textView{app: a, paper: a.paper()}).undo
}
