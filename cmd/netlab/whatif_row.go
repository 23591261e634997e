package main

import (
	"slices"
	"time"

	"netlab/lab"
)

// whatIfRow is what came of one trial, as one line of JSON.
type whatIfRow struct {
	Version  int    `json:"v"`
	Type     string `json:"type"` // "whatif"
	Scenario string `json:"scenario"`
	trial
	Checks  []whatIfCell    `json:"checks"`
	Refused []whatIfRefused `json:"refused,omitempty"`
	Causes  []whatIfCause   `json:"causes,omitempty"`
	// Same: what was otherwise has changed nothing that a check sees, and no change.
	Same bool `json:"same,omitempty"`
	// Why is, of Same, why that is, where it is known: lab.NoChanges or lab.AlreadySo.
	Why       string  `json:"why,omitempty"`
	ElapsedMS float64 `json:"elapsed_ms"` // of the run alone

	leftOut map[string]string // by step: how it was left out
	usual   []whatIfCell      // the checks with nothing left out
}

// whatIfCell is what came of one check.
type whatIfCell struct {
	Step      string            `json:"step"`
	ID        string            `json:"id"`
	Holds     bool              `json:"holds"`
	Outcome   string            `json:"outcome"`
	Values    map[string]string `json:"values,omitempty"`
	Command   string            `json:"command"`
	ElapsedMS float64           `json:"elapsed_ms"`
}

// whatIfRefused is a change that could not be made.
type whatIfRefused struct {
	Step    string `json:"step"`
	Group   string `json:"group,omitempty"`
	Command string `json:"command"`
	Error   string `json:"error"`
}

// whatIfCause is what makes checks fail.
type whatIfCause struct {
	Step    string            `json:"step"` // whose checks
	ID      string            `json:"id"`
	Values  map[string]string `json:"values,omitempty"`
	Command string            `json:"command,omitempty"`
}

// whatIfEnd is what all trials came to, as one line of JSON.
type whatIfEnd struct {
	Version   int      `json:"v"`
	Type      string   `json:"type"` // "whatif-end"
	Scenario  string   `json:"scenario"`
	Holds     bool     `json:"holds"` // every check, with nothing left out
	Needed    []string `json:"needed,omitempty"`
	Idle      []string `json:"idle,omitempty"` // without them nothing is different
	ElapsedMS float64  `json:"elapsed_ms"`
}

// add takes from an event what belongs in the row.
func (r *whatIfRow) add(e lab.Event) {
	switch e.Type {
	case lab.CheckDone:
		r.Checks = append(r.Checks, whatIfCell{
			Step: e.Step, ID: e.ID, Holds: e.Holds != nil && *e.Holds, Outcome: e.Outcome, Values: e.Values,
			Command: e.Command, ElapsedMS: float64(e.Elapsed.Microseconds()) / 1000,
		})
	case lab.OpFailed:
		r.Refused = append(r.Refused, whatIfRefused{e.Step, e.Group, e.Command, e.Error})
	case lab.CauseSeen:
		r.Causes = append(r.Causes, whatIfCause{e.Step, e.ID, e.Values, e.Command})
	case lab.LeftOut:
		if r.leftOut == nil {
			r.leftOut = map[string]string{}
		}
		r.leftOut[e.Step] = e.Outcome
	case lab.RunEnd:
		r.ElapsedMS = float64(e.Elapsed.Microseconds()) / 1000
	}
}

// holds tells whether everything was as it should be.
func (r *whatIfRow) holds() bool {
	return len(r.Refused) == 0 && !slices.ContainsFunc(r.Checks, func(c whatIfCell) bool { return !c.Holds })
}

// against holds the row against the one with nothing left out.
func (r *whatIfRow) against(baseline whatIfRow) {
	r.usual = baseline.Checks
	r.Same = slices.EqualFunc(r.Checks, baseline.Checks, func(a, b whatIfCell) bool {
		return a.Step == b.Step && a.ID == b.ID && a.Holds == b.Holds
	}) && len(r.Refused) == len(baseline.Refused)
	if !r.Same || len(r.Skip) == 0 {
		return
	}
	r.Why = lab.AlreadySo
	for _, step := range r.Skip {
		if r.leftOut[step] != lab.AlreadySo {
			r.Why = r.leftOut[step]
		}
	}
}

// muchLater is how much longer than usual a check must take to be worth a word: more
// than what else the machine does may cost it.
const muchLater = 200 * time.Millisecond

// later tells whether a check took much longer than with nothing left out.
func (r *whatIfRow) later(step, id string) (took, usual time.Duration, ok bool) {
	this := func(c whatIfCell) bool { return c.Step == step && c.ID == id }
	now, then := slices.IndexFunc(r.Checks, this), slices.IndexFunc(r.usual, this)
	if now < 0 || then < 0 {
		return 0, 0, false
	}
	took, usual = milliseconds(r.Checks[now].ElapsedMS), milliseconds(r.usual[then].ElapsedMS)
	return took, usual, took > usual+muchLater
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// count says of single steps whether they are needed.
func (e *whatIfEnd) count(r whatIfRow) {
	if len(r.Skip) != 1 || len(r.Set) > 0 {
		return
	}
	if r.Same {
		e.Idle = append(e.Idle, r.Skip[0])
	} else {
		e.Needed = append(e.Needed, r.Skip[0])
	}
}
