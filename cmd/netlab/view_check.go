package main

import (
	"strconv"
	"strings"

	"netlab/lab"
	"netlab/scenarios"
)

// readBack says, before the first check after the changes, that each was read
// back from the kernel.
func (v *textView) readBack(e lab.Event) {
	if v.changes == 0 || e.Phase == lab.Before {
		return
	}
	key := "step.read-back"
	if v.again {
		key = "step.still"
	}
	if v.changes == 1 {
		key += ".one"
	}
	v.prose(v.mark(true), v.fill(key, "count", strconv.Itoa(v.changes)), v.dim)
	v.changes = 0
}

func (v *textView) mark(holds bool) string {
	if holds {
		return indent + v.green.Sprint("✓") + " "
	}
	return indent + v.red.Sprint("✗") + " "
}

// expected is the mark of what is meant not to hold: no alarm.
func (v *textView) expected(holds bool) string {
	if holds {
		return v.mark(true)
	}
	return indent + v.dim.Sprint("✗") + " "
}

func (v *textView) refused(e lab.Event) {
	v.prose(indent, v.text(v.step(e).Refusals[e.ID], nil), nil)
	v.command(indent, e.Command)
	if e.Phase != lab.Planned {
		v.prose(v.mark(true), v.fill("refused", "words", e.Error), nil)
	}
}

func (v *textView) check(e lab.Event) {
	w := v.words.Check(e.Step, e.ID)
	if e.Phase == lab.Planned {
		v.prose(indent+"? ", v.text(w.Question, nil), nil)
		if v.verbose {
			v.command(indent+indent, e.Command)
		}
		return
	}
	seen, ok := w.Outcomes[e.Outcome]
	if !ok {
		seen = v.say("outcome." + e.Outcome)
	}
	text := v.text(seen, e.Values)
	if !*e.Holds || e.Phase == lab.Before {
		text = scenarios.Adjoin(v.text(w.Question, nil), text)
	}
	phase := ""
	if e.Phase == lab.Before {
		phase = v.say("phase.before")
		if !scenarios.EndsWide(phase) {
			phase += " "
		}
	}
	if e.Phase == lab.Before && *e.Holds {
		text = scenarios.Adjoin(text, v.say("check.held-before"))
	}
	mark := v.mark(*e.Holds)
	if v.led && e.Phase == lab.After && e.ID == v.lookAt {
		mark = v.bold.Sprint("→") + " " + strings.TrimPrefix(mark, indent)
	}
	if e.Phase == lab.Before {
		mark = v.expected(*e.Holds)
	}
	v.prose(mark+phase, text, nil)
	v.journey(e)
	if v.verbose {
		v.command(indent+indent, e.Command)
	}
	if e.Phase == lab.After && !*e.Holds {
		see := "check.see"
		if v.inside() {
			see = "check.see-inside"
		}
		v.prose(indent+indent, v.fill(see, "lab", e.Lab), nil)
		v.command(indent+indent+indent, e.Command)
	}
}

// opFailed says what failed. shown: its command has just been shown.
func (v *textView) opFailed(e lab.Event, shown bool) {
	if !shown {
		v.command(indent, e.Command)
	}
	if e.Values != nil {
		v.prose(v.mark(false), v.differs(e), nil)
		return
	}
	for line := range strings.SplitSeq(e.Error, "\n") {
		v.prose(v.mark(false), v.fill("op.failed", "error", line), nil)
	}
}
