package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"netlab/lab/machine"
	"netlab/lab/progress"
)

// jsonProgress is what is known of one exercise, as one line of JSON.
type jsonProgress struct {
	Version int    `json:"v"`
	Type    string `json:"type"` // "progress"
	progress.Record
}

func (a *app) progressCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "progress",
		Short: a.say("short.progress"),
		Long:  a.say("long.progress"),
		Args:  a.noMoreThan(0),
		RunE: func(*cobra.Command, []string) error {
			s, err := progressStore()
			if err != nil {
				return err
			}
			records, err := s.Records()
			if err != nil {
				return err
			}
			a.printProgress(records, s.Path())
			return nil
		},
	}
}

// progressStore is that of whoever called netlab, inside a sandbox too.
func progressStore() (progress.Store, error) { return progress.Of(machine.Callers()) }

// remember changes what is known of an exercise. That it can't be kept is no reason
// to stop: it is said, and the record is as if it had been empty.
func (a *app) remember(kind progress.Kind, name string, change func(*progress.Record)) progress.Record {
	s, err := progressStore()
	if err == nil {
		var r progress.Record
		if r, err = s.Update(kind, name, change); err == nil {
			return r
		}
	}
	a.errPaper().line(a.fill("progress.not-kept", "error", err.Error()))
	r := progress.Record{Kind: kind, Name: name}
	change(&r)
	return r
}

func (a *app) printProgress(records []progress.Record, path string) {
	if a.output == "json" {
		for _, r := range records {
			a.printJSON(jsonProgress{jsonVersion, "progress", r})
		}
		return
	}
	p := a.paper()
	if len(records) == 0 {
		p.prose("", a.say("progress.none"), nil)
		return
	}
	for _, r := range records {
		mark := p.dim.Sprint("·")
		if r.Solved != nil {
			mark = p.green.Sprint("✓")
		}
		p.prose(mark+" "+p.bold.Sprintf("%-18s", r.Name)+" ", a.progressOf(r), nil)
	}
	if !a.quiet {
		p.line("")
		p.prose("", a.fill("progress.where", "path", path), p.dim)
	}
}

// progressOf says how an exercise went: the attempt that solved it or, until one
// has, the last one.
func (a *app) progressOf(r progress.Record) string {
	state, of := "open", r.Last
	switch {
	case r.Solved != nil:
		state, of = "solved", *r.Solved
	case r.Last.Won != nil:
		state = "shown"
	}
	when := of.Begun
	if of.Won != nil {
		when = *of.Won
	}
	return a.fill("progress."+state+"."+string(r.Kind),
		"tries", strconv.Itoa(of.Tries), "hints", strconv.Itoa(of.Hints), "time", took(of.Took()),
		"when", when.Local().Format("2006-01-02 15:04"))
}

// took is a time that a person needed.
func took(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d:%02d min", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}
