package main

import (
	"strconv"

	"netlab/lab/progress"
	"netlab/scenarios"
)

func (a *app) listPractices() error {
	known, p := a.practised(), a.paper()
	solved, open := 0, 0
	for _, s := range scenarios.All() {
		r, begun := known[s.Name]
		if a.output == "json" {
			line := jsonPractice{Version: jsonVersion, Type: "practice", Scenario: s.Name, Title: a.scenarioTitle(s), Total: len(stepIDs(s))}
			if begun {
				line.Progress = &r
			}
			a.printJSON(line)
			continue
		}
		if r.Solved != nil {
			solved++
		}
		open += notSolved(r, begun)
		p.prose(a.standing(r, begun)+p.bold.Sprintf("%-10s", s.Name)+" ", a.scenarioTitle(s), nil)
	}
	if a.output == "text" && !a.quiet {
		p.line("")
		p.prose("", a.fill("practice.next-list", "count", strconv.Itoa(len(scenarios.All())), "solved", strconv.Itoa(solved)), p.dim)
		if open > 0 {
			p.prose("", a.fill("exercise.begun-list", "count", strconv.Itoa(open)), p.dim)
		}
	}
	return nil
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

// practised is what is known of each scenario's practice, by its name.
func (a *app) practised() map[string]progress.Record {
	known := map[string]progress.Record{}
	s, err := progressStore()
	if err != nil {
		return known
	}
	records, _ := s.Records() // where they can't be read, nothing is known
	for _, r := range records {
		if r.Kind == progress.Practice {
			known[r.Name] = r
		}
	}
	return known
}
