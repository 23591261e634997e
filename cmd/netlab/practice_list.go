package main

import (
	"netlab/lab/progress"
	"netlab/scenarios"
)

func (a *app) listPractices() error {
	known, p := a.known(progress.Practice), a.paper()
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
	a.listFoot("practice.next-list", len(scenarios.All()), solved, open)
	return nil
}
