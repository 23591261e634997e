package main

import (
	"strconv"
	"time"

	"netlab/lab"
)

// pace says how far a step or an undo is that takes long. The zero value begins one.
type pace struct {
	began, said time.Time
}

// When something is said of how far it is: on a terminal, where the line is painted over,
// and elsewhere.
const (
	paceFirst    = time.Second
	paceTerminal = 250 * time.Millisecond
	pacePlain    = 10 * time.Second
)

// due tells whether it is time to say something.
func (p *pace) due(now time.Time, terminal bool) bool {
	if p.began.IsZero() {
		p.began = now
	}
	wait, since := pacePlain, p.began
	if terminal {
		wait = paceFirst
	}
	if !p.said.IsZero() {
		since = p.said
		if terminal {
			wait = paceTerminal
		}
	}
	if now.Sub(since) < wait {
		return false
	}
	p.said = now
	return true
}

// progress shows how far it is.
func (v *textView) progress(e lab.Event) {
	if v.quiet || !v.pace.due(e.Time, v.terminal) {
		return
	}
	v.passing(indent + v.fill("progress", "percent", strconv.Itoa(100*e.Index/max(1, e.Total))))
}
