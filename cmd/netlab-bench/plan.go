package main

import (
	"fmt"
	"io"
	"os/exec"
	"slices"
	"time"

	"netlab/cmd/netlab-bench/internal/contest"
	"netlab/cmd/netlab-bench/internal/result"
	"netlab/cmd/netlab-bench/internal/room"
)

// plan is what is measured.
type plan struct {
	netlab, minimal string
	contestants     []string
	sizes           []int
	rounds          int
	enough          float64 // seconds
	turns           int
}

// The most pods that a contestant builds: of more, the slow ones would take minutes.
func mostPods(contestant string) int {
	switch contestant {
	case result.Bash, result.Batch:
		return 1000
	case result.Plugin, result.Mininet:
		return 100
	}
	return 4000
}

// fileLimit is how many files netlab may have open while it builds the most pods,
// so that a lab of thousands is known to need no more than a shell's usual limit.
const fileLimit = 1024

// measure measures it all, and says meanwhile what it is at.
func (p plan) measure(progress io.Writer) *result.Results {
	r := &result.Results{Machine: thisMachine()}
	var there []string
	for _, c := range p.contestants {
		if need := contest.Missing(c); need != "" {
			fmt.Fprintf(progress, "%s is left out: no %s here\n", c, need)
			r.LeftOut = append(r.LeftOut, c)
			continue
		}
		there = append(there, c)
	}
	cells := p.cells(there)
	spent := map[result.Cell]time.Duration{}
	for round := range p.rounds {
		for i := range cells {
			c := cells[i]
			if spent[c].Seconds() >= p.enough {
				continue
			}
			job := room.Job{Netlab: p.netlab, Minimal: p.minimal, Round: result.Round{
				Contestant: c.Contestant, Lab: c.Lab, Pods: c.Pods, Round: round,
			}}
			began := time.Now()
			done, ok := attempt(r, job, progress)
			spent[c] += time.Since(began)
			if !ok {
				continue
			}
			r.Rounds = append(r.Rounds, done.Round)
			fmt.Fprintf(progress, "round %d of %d: %s, %d pods: %.2f ms a pod\n", round+1, p.rounds, c.Contestant, c.Pods, result.PerPod(done.Round))
		}
		slices.Reverse(cells) // who comes first has no advantage
	}
	p.rest(r, there, progress)
	return r
}

// attempt has a job done. One that fails is noted: the others are worth knowing.
func attempt(r *result.Results, job room.Job, progress io.Writer) (room.Done, bool) {
	done, err := room.Do(job)
	if err != nil {
		fmt.Fprintln(progress, err)
		r.Failed = append(r.Failed, job.Round)
	}
	return done, err == nil
}

// rest is what is not measured in rounds.
func (p plan) rest(r *result.Results, there []string, progress io.Writer) {
	most := slices.Max(p.sizes)
	job := func(contestant string, pods int) room.Job {
		return room.Job{Netlab: p.netlab, Minimal: p.minimal, Round: result.Round{Contestant: contestant, Lab: result.Calico, Pods: pods}}
	}
	if slices.Contains(there, result.Netlab) {
		fmt.Fprintf(progress, "netlab, %d pods, files counted, pods broken\n", most)
		watch := job(result.Netlab, most)
		watch.Files, watch.Round.Watched = fileLimit, true
		if done, ok := attempt(r, watch, progress); ok {
			r.Rounds = append(r.Rounds, done.Round)
		}
	}
	if slices.Contains(there, result.Minimal) {
		measured := job(result.Minimal, min(most, result.Thousand))
		measured.Calls = true
		if done, ok := attempt(r, measured, progress); ok {
			r.Calls = result.Calls{Lab: result.Calico, Pods: measured.Round.Pods, Of: done.Calls}
		}
	}
	if _, err := exec.LookPath("strace"); err != nil {
		fmt.Fprintln(progress, "kernel calls are not counted: no strace here")
	} else {
		for _, c := range []string{result.Netlab, result.Minimal} {
			counted := job(c, min(result.Few, most))
			counted.Count = true
			if !slices.Contains(there, c) {
				continue
			}
			fmt.Fprintf(progress, "%s, kernel calls counted\n", c)
			if done, ok := attempt(r, counted, progress); ok {
				r.Counts = append(r.Counts, done.Count...)
			}
		}
	}
	if p.turns > 0 && slices.Contains(there, result.Netlab) {
		fmt.Fprintf(progress, "proxyarp, %d turns\n", p.turns)
		turns := job(result.Netlab, 1)
		turns.Turns, turns.Round.Lab = p.turns, "proxyarp"
		if done, ok := attempt(r, turns, progress); ok {
			r.Turns, r.Small = done.Turns, done.Small
		}
	}
}

// cells are what each round measures, one after the other: by size, and of a size
// those who build it.
func (p plan) cells(contestants []string) []result.Cell {
	var cells []result.Cell
	for _, size := range p.sizes {
		for _, c := range contestants {
			if size <= mostPods(c) {
				cells = append(cells, result.Cell{Contestant: c, Lab: contest.Lab(c), Pods: size})
			}
			if c == result.Netlab && (size == p.upTo(result.Few) || size == p.upTo(result.Thousand)) {
				cells = append(cells, result.Cell{Contestant: result.NoBefore, Lab: result.Calico, Pods: size})
			}
		}
	}
	add := func(contestant string) {
		cells = append(cells, result.Cell{Contestant: contestant, Lab: result.Bridge, Pods: p.upTo(result.BridgePods)})
	}
	for _, c := range contestants {
		if c == result.Netlab || c == result.Minimal {
			add(c)
		}
		if c == result.Netlab {
			add(result.NoBefore)
		}
	}
	return cells
}

// upTo is so many pods, or the most that are asked for.
func (p plan) upTo(pods int) int { return min(pods, slices.Max(p.sizes)) }
