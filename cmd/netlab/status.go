package main

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"netlab/lab/machine"
	"netlab/lab/practice"
	"netlab/scenarios"
	"netlab/scenarios/challenges"
)

// jsonLab is a lab that is up, as one line of JSON.
type jsonLab struct {
	Version  int               `json:"v"`
	Type     string            `json:"type"` // "lab"
	Lab      string            `json:"lab"`
	Scenario string            `json:"scenario,omitempty"`
	Machine  string            `json:"machine"` // "host" or "sandbox"
	Holder   int               `json:"holder_pid,omitempty"`
	Created  *time.Time        `json:"created,omitempty"`
	Steps    int               `json:"steps"` // how many are done
	Total    int               `json:"total"` // how many there are
	Last     string            `json:"last_step,omitempty"`
	Params   map[string]string `json:"params,omitempty"`
	// Challenge is what the lab was broken as; empty: it was not.
	Challenge string `json:"challenge,omitempty"`
	// Practice: the steps are those that somebody has built by hand.
	Practice bool   `json:"practice,omitempty"`
	Error    string `json:"error,omitempty"` // why the rest can't be told
}

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: a.say("short.status"),
		Long:  a.say("long.status"),
		Args:  a.noMoreThan(0),
		RunE: func(*cobra.Command, []string) error {
			_, inside, err := machine.Here()
			if err != nil {
				return err
			}
			up, err := places()
			var labs []jsonLab
			for _, p := range up {
				l, labErr := describe(p, inside)
				labs = append(labs, l)
				err = errors.Join(err, a.journalRefused(p.lab, labErr))
			}
			a.printStatus(labs)
			return err
		},
	}
}

// describe reads what the lab's journal says. What can't be read is left empty,
// and the reason comes with it.
func describe(p place, inside bool) (jsonLab, error) {
	l := jsonLab{Version: jsonVersion, Type: "lab", Lab: p.lab, Machine: p.kind(inside)}
	if p.sandbox != nil {
		l.Holder = p.sandbox.PID
	}
	state, err := p.dir().Read(p.lab)
	if err != nil {
		l.Error = err.Error()
		return l, err
	}
	l.Scenario, l.Created, l.Steps, l.Params = state.Header.Scenario, &state.Header.Created, len(state.Steps), state.Header.Params
	l.Challenge = state.Header.Challenge
	for id := range state.Steps {
		if challenges.BreaksIn(id) {
			l.Steps--
		}
	}
	if l.Practice = state.Header.Practice; l.Practice {
		return l, describePractice(&l, p)
	}
	s, known := scenarios.Named(l.Scenario)
	if !known {
		return l, nil
	}
	l.Total = len(stepIDs(s))
	for _, id := range everyStepID(s) {
		if _, done := state.Steps[id]; done {
			l.Last = id
			if !slices.Contains(stepIDs(s), id) { // needed on this machine only
				l.Total++
			}
		}
	}
	return l, nil
}

// describePractice adds how far a practice has come.
func describePractice(l *jsonLab, p place) error {
	state, err := practice.Load(practiceFile(p))
	if err != nil {
		l.Error = err.Error()
		return err
	}
	l.Total = len(state.Steps)
	l.Steps, _ = state.Counts()
	for _, s := range state.Steps {
		if !s.Reached.IsZero() {
			l.Last = s.ID
		}
	}
	return nil
}

func (a *app) printStatus(labs []jsonLab) {
	if a.output == "json" {
		for _, l := range labs {
			a.printJSON(l)
		}
		return
	}
	p := a.paper()
	if len(labs) == 0 && !a.quiet {
		p.prose("", a.say("status.none"), nil)
	}
	for _, l := range labs {
		if l.Error != "" {
			p.prose(p.bold.Sprint(l.Lab)+"  ", a.fill("status.unreadable", "machine", l.Machine), nil)
			continue
		}
		where := a.say("status." + l.Machine)
		if l.Holder != 0 {
			where = a.fill("status.held", "pid", strconv.Itoa(l.Holder))
		}
		p.prose(p.bold.Sprint(l.Lab)+"  ", a.fill("status.lab",
			"where", where, "steps", strconv.Itoa(l.Steps), "total", strconv.Itoa(l.Total),
			"since", l.Created.Local().Format("2006-01-02 15:04"), "age", age(a.now().Sub(*l.Created))), nil)
	}
}

// age is how long ago something was, for people.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + " d"
}
