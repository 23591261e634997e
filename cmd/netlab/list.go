package main

import (
	"github.com/spf13/cobra"

	"netlab/scenarios"
)

// jsonScenario is a scenario as one line of JSON.
type jsonScenario struct {
	Version int      `json:"v"`
	Type    string   `json:"type"` // "scenario"
	Name    string   `json:"scenario"`
	Title   string   `json:"title"`
	Steps   []string `json:"steps"`
}

func (a *app) listCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: a.say("short.list"),
		Args:  a.noMoreThan(0),
		RunE: func(*cobra.Command, []string) error {
			p := a.paper()
			for _, s := range scenarios.All() {
				if a.output == "json" {
					a.printJSON(jsonScenario{jsonVersion, "scenario", s.Name, a.scenarioTitle(s), stepIDs(s)})
					continue
				}
				p.prose(p.bold.Sprintf("%-12s", s.Name), a.scenarioTitle(s), nil)
			}
			if a.output == "text" && !a.quiet {
				p.line("")
				p.prose("", a.say("list.next"), p.dim)
			}
			return nil
		},
	}
}
