package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"netlab/lab"
)

// journeyView shows a followed packet to a person: for each leg a line that says
// what it is, a row a hop, and between the rows what was decided there.
type journeyView struct {
	*app
	*paper
	in   string // how far all of it is moved in
	room int    // the columns that a table may take: more than prose, as a picture
	lab  string // the sandbox's lab, for commands to type; empty: not in a sandbox
}

// showJourney shows all of a journey. legend: and what its marks mean.
func (v *journeyView) showJourney(j lab.Journey, legend bool) {
	t := v.hopTable(j)
	for i, leg := range j.Legs {
		if i > 0 {
			v.line("")
		}
		v.leg(j, leg, t, i)
	}
	if len(j.Legs) > 0 {
		v.line("")
	}
	if legend {
		v.legend(j)
	}
	v.ending(j)
}

// leg says what a leg is, and tells its hops.
func (v *journeyView) leg(j lab.Journey, leg lab.Leg, t hopTable, i int) {
	v.prose(v.in, v.legTitle(j, leg), nil)
	v.decisions(leg.Start, lab.Hop{Dst: j.To})
	if len(leg.Hops) == 0 {
		return
	}
	v.header(t)
	again := circles(leg.Hops)
	for n := 0; n < len(leg.Hops); n++ {
		if c, ok := again[n]; ok {
			v.prose(v.in+indent, v.fill("circle", "hops", strconv.Itoa(c.hops), "times", strconv.Itoa(c.times)), v.dim)
			n += c.hops*c.times - 1
			continue
		}
		v.row(t, t.rows[i][n])
		v.decisions(leg.Hops[n].Then, leg.Hops[n])
	}
}

// legTitle says what a leg is; the word for its kind is bold.
func (v *journeyView) legTitle(j lab.Journey, leg lab.Leg) string {
	key := "leg." + leg.Kind
	if leg.Kind != lab.LegError {
		key += "." + j.Probe
	}
	src := j.To
	if len(leg.Hops) > 0 {
		src = leg.Hops[0].Src
	}
	what := ""
	switch {
	case leg.Type != nil && leg.Code != nil:
		key, what = key+".what", v.icmpError(strconv.Itoa(*leg.Type), strconv.Itoa(*leg.Code))
	case leg.Kind == lab.LegReply && leg.Flags != "":
		key, what = key+".what", leg.Flags
	}
	text := v.fill(key, "what", what, "from", v.inSpace(j.From), "to", j.To.String(), "port", strconv.Itoa(int(j.Port)), "src", src.String())
	for _, colon := range []string{": ", "："} {
		if kind, rest, ok := strings.Cut(text, colon); ok {
			return v.bold.Sprint(kind) + colon + rest
		}
	}
	return text
}

// legend says what the marks in the table mean that j has.
func (v *journeyView) legend(j lab.Journey) {
	var marks []string
	add := func(key string, has func(lab.Hop) bool) {
		for _, leg := range j.Legs {
			if slices.ContainsFunc(leg.Hops, has) {
				marks = append(marks, v.say("legend."+key))
				return
			}
		}
	}
	add("out", func(h lab.Hop) bool { return h.Dir == lab.DirOut })
	add("in", func(h lab.Hop) bool { return h.Dir == lab.DirIn })
	add("changed", func(h lab.Hop) bool { return len(h.Changed) > 0 })
	add("copy", func(h lab.Hop) bool { return h.Copy })
	if j.Probe == lab.ProbeARP {
		add("arp", func(lab.Hop) bool { return true })
	}
	if len(marks) > 0 {
		v.prose(v.in, strings.Join(marks, " · "), v.dim)
	}
}

// space is what a namespace is called in a table.
func (v *journeyView) space(ns string) string {
	if ns == "" {
		return v.say("picture.host")
	}
	return ns
}

// inSpace is what a namespace is called in a sentence.
func (v *journeyView) inSpace(ns string) string {
	if ns == "" {
		return v.say("the-host")
	}
	return ns
}

// brief is a time for people, of which the millionths of a second count.
func brief(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%.3f ms", float64(d.Nanoseconds())/1e6)
	}
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1e3)
	}
	return short(d)
}

// journey shows the way of a check's packet below the check's line, and what the
// marks mean the first time; of an answer's way back it is enough that it came.
func (v *textView) journey(e lab.Event) {
	if e.Journey == nil || v.quiet || e.Phase != lab.After && !v.verbose {
		return
	}
	j := &journeyView{app: v.app, paper: v.paper, in: indent + indent, room: v.pictureWidth()}
	if v.inside() {
		j.lab = e.Lab
	}
	shown := *e.Journey
	if shown.End.Outcome == lab.Answered && !v.verbose {
		shown.Legs = shown.Legs[:1] // the way back teaches nothing new, and is long
	}
	j.showJourney(shown, !v.marksSaid)
	v.marksSaid = true
}
