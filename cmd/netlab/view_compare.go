package main

import (
	"slices"
	"strconv"
	"strings"

	"netlab/lab"
	"netlab/lab/measure"
	"netlab/lab/trace"
)

// comparisonView shows two labs side by side: how a packet goes in each, what
// that needs and disturbs, and what it costs.
type comparisonView struct {
	*app
	*paper
	comparison
}

func (a *app) showComparison(c comparison) {
	v := &comparisonView{app: a, paper: a.paper(), comparison: c}
	first, second := c.Labs[0].Scenario, c.Labs[1].Scenario
	v.prose("", v.bold.Sprint(first+" · "+second), nil)
	v.prose("", v.say("machine.sandbox"), v.dim)
	v.section("compare.side")
	v.table()
	if !v.quiet {
		v.journeys()
	}
	v.section("compare.speed")
	if v.Rounds > 1 && !v.quiet {
		v.prose(indent, v.say("compare.medians"), v.dim)
		v.line("")
	}
	for _, f := range c.shown() {
		v.figure(f)
		v.line("")
	}
	v.verdict()
}

func (v *comparisonView) section(key string) {
	v.line("")
	v.line(v.bold.Sprint(v.say(key)))
	v.line("")
}

// journeys shows one packet's way in each lab, and once what the marks mean. The
// reply's way back is left to -v: the question is answered without it.
func (v *comparisonView) journeys() {
	j := &journeyView{app: v.app, paper: v.paper, in: indent, room: v.pictureWidth()}
	var all lab.Journey
	for _, w := range v.Labs {
		v.line("")
		v.prose("", v.fill("compare.way", "scenario", v.bold.Sprint(w.Scenario), "from", w.From, "to", w.To), nil)
		v.line("")
		shown := w.Journey
		if !v.verbose {
			shown.Legs = slices.DeleteFunc(slices.Clone(shown.Legs), func(leg lab.Leg) bool { return leg.Kind != lab.LegRequest })
		}
		j.showJourney(shown, false)
		all.Legs = append(all.Legs, shown.Legs...)
	}
	v.line("")
	j.legend(all)
	if !v.verbose {
		v.prose("", v.say("compare.replies"), v.dim)
	}
}

// table has a row for each thing in which two labs can differ. Cells are wrapped.
func (v *comparisonView) table() {
	rows := [][]string{{""}, {v.say("compare.row.hops")}, {v.say("compare.row.routed")}, {v.say("compare.row.ttl")},
		{v.say("compare.row.arp")}, {v.say("compare.row.neighbours")}, {v.say("compare.row.heard")}, {v.say("compare.row.forwarding")}}
	for _, w := range v.Labs {
		for i, cell := range []string{
			w.Scenario, strconv.Itoa(w.Hops), strconv.Itoa(w.Routed), strconv.Itoa(w.TTL),
			v.answered(w), v.neighbours(w), v.heard(w), v.say("compare.without." + strconv.FormatBool(w.WithoutForwarding)),
		} {
			rows[i] = append(rows[i], cell)
		}
	}
	label := 0
	for _, row := range rows {
		label = max(label, columns(row[0]))
	}
	label = min(label, v.paper.columns/4)
	wide := (v.paper.columns - len(indent) - label - 2*len(indent)) / 2
	for i, row := range rows {
		cells := [][]string{wrap(row[0], label), wrap(row[1], wide), wrap(row[2], wide)}
		for n := range max(len(cells[0]), len(cells[1]), len(cells[2])) {
			line := indent
			for c, width := range []int{label, wide, wide} {
				text := ""
				if n < len(cells[c]) {
					text = cells[c][n]
				}
				switch {
				case i == 0:
					text = v.bold.Sprint(text)
				case c == 0:
					text = v.dim.Sprint(text)
				}
				line += pad(text, width) + indent
			}
			v.line(line)
		}
	}
}

// answered says whose MAC address the packet was sent to, and in whose name.
func (v *comparisonView) answered(w comparedWay) string {
	values := w.NextHop.Values
	key := "compare.arp.own"
	switch {
	case values["mac"] == "":
		return v.say("compare.arp.nobody")
	case values["owner_dev"] == "":
		key = "compare.arp.unknown"
	case values["proxy"] == "yes":
		key = "compare.arp.proxy"
	}
	owner := values["owner_ns"]
	if owner == "" {
		owner = v.say("the-host")
	}
	return v.fill(key, "mac", values["mac"], "addr", values["addr"], "owner", owner, "dev", values["owner_dev"])
}

func (v *comparisonView) neighbours(w comparedWay) string {
	var all []string
	for _, n := range w.Neighbours {
		all = append(all, n.Addr+" → "+orDash(n.MAC))
	}
	if len(all) == 0 {
		return v.say("compare.nothing")
	}
	return v.list(all)
}

// heard says once what the pod that only watches heard.
func (v *comparisonView) heard(w comparedWay) string {
	var all []string
	for _, h := range w.Heard {
		key := "compare.heard.other"
		if h.Kind == trace.KindARPRequest {
			key = "compare.heard.arp-request"
		}
		all = append(all, v.fill(key, "kind", h.Kind, "src", h.Src, "dst", h.Dst))
	}
	if len(all) == 0 {
		return v.say("compare.nothing")
	}
	slices.Sort(all)
	return v.list(slices.Compact(all))
}

// longestBar is how wide the longest bar is at most.
const longestBar = 40

// figure draws a bar for each lab and says below what one costs against the other.
func (v *comparisonView) figure(f comparedFigure) {
	v.prose(indent, v.say("compare.figure."+f.ID), nil)
	name, value, most := 0, 0, 0.0
	for i, w := range v.Labs {
		name, value, most = max(name, columns(w.Scenario)), max(value, columns(quantity(f, i))), max(most, f.Medians[i])
	}
	room := min(longestBar, v.paper.columns-2*len(indent)-name-len(indent)-value-len(indent))
	bar := "█"
	if v.paper.ascii {
		bar = "#"
	}
	for i, w := range v.Labs {
		number := quantity(f, i)
		length := max(1, int(f.Medians[i]/most*float64(room)+0.5))
		v.line(indent + indent + pad(w.Scenario, name) + indent + strings.Repeat(" ", value-columns(number)) + number +
			indent + strings.Repeat(bar, length))
	}
	ratio := f.shown()
	key := [...]string{"compare.share", "compare.share.same", "compare.share.once"}
	if f.timed() {
		key = [...]string{"compare.cost", "compare.cost.same", "compare.cost.once"}
	}
	says := key[0]
	switch {
	case v.Rounds == 1:
		says = key[2]
	case ratio.Negligible():
		says = "compare.even"
	case ratio.Same():
		says = key[1]
	}
	v.prose(indent+indent, v.fill(says, "of", f.Of, "against", f.Against,
		"median", times(ratio.Median), "low", times(ratio.Low), "high", times(ratio.High),
		"sure", strconv.Itoa(int(100*ratio.Sure))), v.dim)
}

// timed tells whether a figure is a time, and not what a second brings.
func (f comparedFigure) timed() bool { return f.Unit == "ns" }

// shown is a cost as a person is told it: of times how much longer it takes, of
// throughput how much is left.
func (f comparedFigure) shown() measure.Ratio {
	if f.timed() {
		return f.Cost
	}
	return f.Cost.Inverse()
}

func times(ratio float64) string { return strconv.FormatFloat(ratio, 'f', 2, 64) }

// quantity is one lab's median with its unit.
func quantity(f comparedFigure, i int) string {
	number := func(value float64, digits int, unit string) string {
		return strconv.FormatFloat(value, 'f', digits, 64) + " " + unit
	}
	switch value := f.Medians[i]; {
	case f.Unit == "ns":
		return number(value/1e3, 1, "µs")
	case f.Unit == "bit/s" && value < 1e9:
		return number(value/1e6, 0, "Mbit/s")
	case f.Unit == "bit/s":
		return number(value/1e9, 1, "Gbit/s")
	default:
		return number(value/1e3, 0, "k/s")
	}
}
