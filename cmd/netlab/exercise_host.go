package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"netlab/lab"
	"netlab/lab/doctor"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/lab/owned"
	"netlab/scenarios"
)

// A practice or a challenge may be on this machine itself, instead of in a sandbox. What
// is read of the machine to plan the lab is read before anything is built or broken, and
// kept; and what stands there then, so that a teardown can name what people changed
// beside the lab.

// hostDir has what was read of this machine for each exercise on it.
const hostDir = "/run/netlab/host"

// hostSide is what was read of this machine before an exercise began.
type hostSide struct {
	Version int            `json:"version"`
	Facts   lab.Facts      `json:"facts"`
	Before  []doctor.Thing `json:"before"`
	// Anew: the exercise was taken down to begin anew, and Before is of when it first
	// began.
	Anew bool `json:"anew,omitempty"`
}

const hostSideVersion = 1

func hostSidePath(lab string) string { return filepath.Join(hostDir, lab+".json") }

// onHost is where an exercise is asked for on this machine itself: an error tells who
// may not, or where it can't be. sandbox is the same in one.
func (a *app) onHost(inside bool, labName string, sandbox lab.Command) error {
	if inside {
		return &usageError{Text: a.say("challenge.exit-host"), Next: "exit"}
	}
	if allowed, missing := machine.CanUseHost(); !allowed {
		return a.denied(missing, "sudo "+a.asTyped().Again.String(), "exercise.needs-root", "command", unbroken(sandbox.String()))
	}
	found, err := doctor.State(labsDir, true)
	if err == nil && machine.Worst(found) == machine.Stop {
		err = a.inTheWay(&survey{found: found, plan: machine.Plan{Again: a.asTyped().Again}})
	}
	return err
}

// layHostSide makes sure that nothing on this machine is in the lab's way, as for a
// run, and keeps what it read. again is the command that was asked for; instead, where
// it takes no flags of the scenario, the one in a sandbox. The notes are what may
// surprise.
func (a *app) layHostSide(ctx context.Context, k *kernel.Kernel, s scenarios.Scenario, labName string, values scenarios.Values, again, instead lab.Command) (scenarios.Values, []lab.Note, error) {
	values, warned, err := a.resolve(ctx, k, s, labName, values, again, instead)
	if err != nil {
		return nil, nil, err
	}
	setting, err := a.setting(k, s, labName, values)
	if err != nil {
		return nil, nil, err
	}
	h := hostSide{Version: hostSideVersion, Facts: setting.Facts}
	if first, err := loadHostSide(labName); err == nil && first.Anew {
		h.Before = first.Before
	} else if h.Before, err = doctor.Standing(k); err != nil {
		return nil, nil, err
	}
	return values, notesOf(warned), h.save(labName)
}

func (h hostSide) save(labName string) error {
	data, err := json.Marshal(h)
	if err == nil {
		err = owned.MakeDirs(hostDir)
	}
	if err == nil {
		err = owned.Replace(hostSidePath(labName), append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep what this machine is like: %w", err)
	}
	return nil
}

func loadHostSide(labName string) (hostSide, error) {
	var h hostSide
	data, err := owned.Read(hostSidePath(labName))
	if err == nil {
		err = json.Unmarshal(data, &h)
	}
	if err == nil && h.Version != hostSideVersion {
		err = errors.New("not a version that this netlab knows")
	}
	if err != nil {
		return h, fmt.Errorf("read what this machine was like: %w", err)
	}
	return h, nil
}

// exerciseSetting is the setting of an exercise: in a sandbox as one is when it is new,
// and on this machine as it was when the exercise began.
func (a *app) exerciseSetting(k *kernel.Kernel, s scenarios.Scenario, labName, mark string, values scenarios.Values) (scenarios.Setting, error) {
	_, inside, err := machine.Here()
	if err != nil {
		return scenarios.Setting{}, err
	}
	if inside {
		return a.sketch(k, s, mark, values, true)
	}
	h, err := loadHostSide(labName)
	return scenarios.Setting{Lab: mark, Values: values, Facts: h.Facts}, err
}

// jsonLeft is what is otherwise on this machine than before an exercise, as one line of
// JSON.
type jsonLeft struct {
	Version int    `json:"v"`
	Type    string `json:"type"` // "changed"
	Lab     string `json:"lab"`
	What    string `json:"what"`
	Was     string `json:"was,omitempty"`
	Is      string `json:"is,omitempty"`
	Gone    bool   `json:"gone,omitempty"`
	Command string `json:"command,omitempty"` // undoes it
}

// tellChanged names what is otherwise on this machine than it was before the exercise,
// once all of the lab is gone: netlab did not do it, so it does not undo it.
func (a *app) tellChanged(k *kernel.Kernel, labName string) error {
	h, err := loadHostSide(labName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	now, err := doctor.Standing(k)
	if err != nil {
		return err
	}
	changes := doctor.Changes(h.Before, now)
	if a.output == "json" {
		for _, c := range changes {
			a.printJSON(jsonLeft{
				Version: jsonVersion, Type: "changed", Lab: labName, What: c.What, Was: c.Was, Is: c.Is, Gone: c.Gone, Command: c.Undo.String(),
			})
		}
		return nil
	}
	if len(changes) == 0 {
		return nil
	}
	p := a.paper()
	p.prose("", a.fill("exercise.changed", "lab", labName), p.bold)
	for _, c := range changes {
		key := "exercise.new"
		switch {
		case c.Gone:
			key = "exercise.gone"
		case c.Was != "":
			key = "exercise.other"
		}
		p.prose(indent+"- ", a.fill(key, "what", unbroken(c.What), "was", c.Was, "is", c.Is), nil)
		if len(c.Undo) > 0 {
			p.command(indent+indent, c.Undo.String())
		} else {
			p.prose(indent+indent, a.say("exercise.no-undo"), nil)
		}
	}
	return nil
}

// forget removes how somebody got on with an exercise that the lab was. anew: it is to
// begin once more, and what stood on this machine when it first began is kept.
func forget(lab string, anew bool) error {
	p := place{lab: lab}
	gone := []string{practiceFile(p), attemptsIn(p).Path()}
	h, err := loadHostSide(lab)
	if anew && err == nil {
		h.Anew = true
		if err := h.save(lab); err != nil {
			return err
		}
	} else {
		gone = append(gone, hostSidePath(lab))
	}
	for _, path := range gone {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget the exercise: %w", err)
		}
	}
	return nil
}
