package result

import (
	"fmt"
	"strconv"
	"strings"
)

// The contestants, as results name them.
const (
	Netlab  = "netlab"
	Minimal = "minimal"
	Bash    = "bash"
	Batch   = "ip-batch"
	Plugin  = "cni-ptp"
	Mininet = "mininet"
	// NoBefore is netlab that leaves out the checks before each step. It is measured
	// where the question is of building alone.
	NoBefore = "netlab-no-before"
)

// The labs.
const (
	Calico = "calico"
	Bridge = "bridge"
	PTP    = "ptp"    // the plugin's
	Switch = "switch" // Mininet's
)

// The sides at proxyarp.
const (
	SideRun      = "netlab run"
	SideNoBefore = "netlab run --no-before"
	SideScript   = "script, arping -f, ping, ping"
)

// Goal is what a figure ought to be.
type Goal struct {
	What   string
	Figure Figure
	Unit   string // "times", "ms", "MiB", "files", "of 3"
	Bound  float64
	Least  bool // the bound is a least one; else a most one
	// Free: there is no bound. The figure is shown for what it says.
	Free bool
}

// Missing tells whether nothing was measured.
func (g Goal) Missing() bool { return g.Figure.N == 0 }

// Counted tells whether the figure is a number of things, a whole one.
func (g Goal) Counted() bool {
	return !g.Missing() && (g.Unit == "files" || strings.HasPrefix(g.Unit, "of "))
}

// Met tells whether the median keeps to the bound. A missing figure does not.
func (g Goal) Met() bool {
	switch {
	case g.Missing():
		return false
	case g.Free:
		return true
	case g.Least:
		return g.Figure.Median >= g.Bound
	default:
		return g.Figure.Median <= g.Bound
	}
}

// Limit is the bound in words.
func (g Goal) Limit() string {
	if g.Free {
		return ""
	}
	if g.Least {
		return fmt.Sprintf("at least %g", g.Bound)
	}
	return fmt.Sprintf("at most %g", g.Bound)
}

// The sizes that goals speak of. A bridge has no room for a thousand pods.
const (
	Few, Quarter, Thousand, Most = 100, 250, 1000, 4000
	BridgePods                   = 900
)

// Goals are all of them, with what was measured.
func (r *Results) Goals() []Goal {
	calico := func(contestant string, pods int) Cell { return Cell{contestant, Calico, pods} }
	netlab := calico(Netlab, Thousand)
	few := calico(Netlab, Few)
	var goals []Goal
	most := func(what string, f Figure, unit string, bound float64) {
		goals = append(goals, Goal{What: what, Figure: f, Unit: unit, Bound: bound})
	}
	least := func(what string, f Figure, bound float64) {
		goals = append(goals, Goal{What: what, Figure: f, Unit: "times", Bound: bound, Least: true})
	}
	most("rounds in which a lab was not built or did not work", r.failed(), "of "+strconv.Itoa(len(r.Rounds)+len(r.Failed)), 0)
	for _, l := range []struct {
		lab  string
		pods int
	}{{Calico, Thousand}, {Bridge, BridgePods}} {
		ours, minimal := Cell{Netlab, l.lab, l.pods}, Cell{Minimal, l.lab, l.pods}
		built := Cell{NoBefore, l.lab, l.pods}
		title := fmt.Sprintf("%s, %d pods: ", l.lab, l.pods)
		most(title+"built, checks left out / minimal", r.Ratio(built, Made, minimal, Build), "times", 1.5)
		most(title+"built and every check made / minimal", r.Ratio(ours, Build, minimal, Build), "times", 1.5)
		most(title+"taken away / minimal", r.Ratio(ours, Freed, minimal, Freed), "times", 1.5)
	}
	least("calico, 1000 pods: bash / netlab", r.Ratio(calico(Bash, Thousand), Build, netlab, Build), 25)
	least("calico, 1000 pods: ip -batch / netlab", r.Ratio(calico(Batch, Thousand), Build, netlab, Build), 4)
	built := calico(NoBefore, Few)
	for _, other := range []struct {
		name  string
		cell  Cell
		bound float64
	}{
		{"the CNI ptp plugin", Cell{Plugin, PTP, Few}, 8},
		{"Mininet with LinuxBridge", Cell{Mininet, Switch, Few}, 15},
	} {
		title := "a pod of 100: " + other.name + " / netlab, "
		least(title+"checks left out", r.Ratio(other.cell, Build, built, Made), other.bound)
		goals = append(goals, Goal{What: title + "every check made", Figure: r.Ratio(other.cell, Build, few, Build), Unit: "times", Free: true})
	}
	made := func(c Round) float64 { return Made(c) / float64(c.Pods) }
	most("a pod of 4000 / a pod of 100, checks left out", r.Ratio(calico(Netlab, Most), made, built, made), "times", 1.5)

	goals = append(goals, r.noticed())
	verified := func(c Round) float64 { return c.Verify / float64(c.Pods) }
	most("calico, 1000 pods: checks, a pod", r.Figure(netlab, verified), "ms", 0.15)
	for _, command := range []struct {
		name string
		of   Of
	}{
		{"status", func(c Round) float64 { return c.Status }},
		{"check", func(c Round) float64 { return c.Check }},
		{"teardown", Freed},
	} {
		perPod := func(c Round) float64 { return command.of(c) / float64(c.Pods) }
		most(command.name+": a pod of 1000 / a pod of 250",
			r.Ratio(netlab, perPod, calico(Netlab, Quarter), perPod), "times", 1.5)
	}
	check := func(c Round) float64 { return c.Check / (2*c.Verify + c.Dump) }
	most("calico, 1000 pods: check / (twice the checks and a dump)", r.Figure(netlab, check), "times", 1)

	most("calico, 4000 pods: memory", r.watched(func(c Round) int { return c.RSS }, 1024), "MiB", 64)
	most("calico, 4000 pods, ulimit -n 1024: open files", r.watched(func(c Round) int { return c.Files }, 1), "files", 1024)
	most("proxyarp: run --no-before / the script, arping and ping", r.SideRatio(SideNoBefore, SideScript), "times", 0.5)
	most("proxyarp: run, what fails before each step shown too / the same", r.SideRatio(SideRun, SideScript), "times", 0.5)
	var before []float64
	if r.Small.BeforeID != "" {
		before = append(before, r.Small.Before)
	}
	most("proxyarp: the slowest check before its step, "+r.Small.BeforeID, figure(before), "ms", 300)
	most("netlab --help: on a CPU", figure(r.Small.Help), "ms", 10)
	return goals
}

func (r *Results) failed() Figure {
	if len(r.Rounds) == 0 {
		return Figure{}
	}
	return figure([]float64{float64(len(r.Failed))})
}

// noticed: every broken pod was.
func (r *Results) noticed() Goal {
	g := Goal{What: "pods that do not answer: check says so", Unit: "times", Least: true, Bound: 1}
	for _, c := range r.Rounds {
		if c.Broken > 0 {
			g.Figure = figure([]float64{float64(c.Noticed)})
			g.Unit, g.Bound = fmt.Sprintf("of %d", c.Broken), float64(c.Broken)
		}
	}
	return g
}

// watched is the most of something in the round that was watched, at any size of
// at least Most pods.
func (r *Results) watched(of func(Round) int, unit float64) Figure {
	var values []float64
	for _, c := range r.Rounds {
		if c.Watched && c.Pods >= Most && of(c) > 0 {
			values = append(values, float64(of(c))/unit)
		}
	}
	return figure(values)
}
