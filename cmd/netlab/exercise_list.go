package main

import (
	"strconv"

	"netlab/lab/progress"
)

// known is what is known of each practice, or of each challenge, by its name.
func (a *app) known(kind progress.Kind) map[string]progress.Record {
	known := map[string]progress.Record{}
	s, err := progressStore()
	if err != nil {
		return known
	}
	records, _ := s.Records() // where they can't be read, nothing is known
	for _, r := range records {
		if r.Kind == kind {
			known[r.Name] = r
		}
	}
	return known
}

// standing is the mark of an exercise in a list: solved, begun, or neither.
func (a *app) standing(r progress.Record, begun bool) string {
	switch {
	case r.Solved != nil:
		return a.paper().green.Sprint("✓") + " "
	case begun:
		return "→ "
	}
	return "  "
}

// notSolved is 1 for an exercise that was begun and never solved.
func notSolved(r progress.Record, begun bool) int {
	if begun && r.Solved == nil {
		return 1
	}
	return 0
}

// listFoot says below a list how many of its exercises are solved, in the words of a
// key, and how many are begun and open.
func (a *app) listFoot(key string, count, solved, open int) {
	if a.output != "text" || a.quiet {
		return
	}
	p := a.paper()
	p.line("")
	p.prose("", a.fill(key, "count", strconv.Itoa(count), "solved", strconv.Itoa(solved)), p.dim)
	if open > 0 {
		p.prose("", a.fill("exercise.begun-list", "count", strconv.Itoa(open)), p.dim)
	}
}
