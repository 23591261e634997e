package main

import (
	"netlab/lab/progress"
	"netlab/scenarios/challenges"
)

func (a *app) listChallenges() error {
	all, err := challenges.All(a.lang)
	if err != nil {
		return err
	}
	known := a.known(progress.Challenge)
	p, open := a.paper(), 0
	for _, c := range all {
		r, begun := known[c.Name]
		if a.output == "json" {
			line := jsonChallenge{
				Version: jsonVersion, Type: "challenge", Name: c.Name, Title: c.Words.Title,
				Scenario: c.Scenario.Name, Level: c.Level, Hints: len(c.Hints),
			}
			if begun {
				line.Progress = &r
			}
			a.printJSON(line)
			continue
		}
		open += notSolved(r, begun)
		stars := [...]string{"", "*  ", "** ", "***"}[c.Level]
		p.prose(a.standing(r, begun)+p.bold.Sprintf("%-16s", c.Name)+" "+stars+" ", c.Words.Title, nil)
	}
	a.listFoot("challenge.next-list", len(all), countSolved(known), open)
	return nil
}

func countSolved(known map[string]progress.Record) int {
	n := 0
	for _, r := range known {
		if r.Solved != nil {
			n++
		}
	}
	return n
}
