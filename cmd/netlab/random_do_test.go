package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"time"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
)

// run is app.runHere, without the checks.
func (b *randomBed) run(dir journal.Dir, l slot, d deed) (err error) {
	lock, err := dir.Lock(l.name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	values := l.values
	j, err := dir.Open(l.name)
	switch {
	case err == nil:
		values, err = b.a.resumed(l.scenario, j, nil)
	case errors.Is(err, fs.ErrNotExist):
		values, _, j, err = b.a.begin(context.Background(), k, dir, l.scenario, runOptions{lab: l.name}, values)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	plan, err := b.plan(k, l, values)
	if err != nil {
		return err
	}
	r := b.runner(k, dir)
	if d.from != "" {
		err = r.Rewind(context.Background(), plan, j, d.from)
	}
	if err == nil {
		err = r.Run(context.Background(), plan, j, lab.Options{Until: d.step, NoBefore: true})
	}
	return err
}

func (b *randomBed) plan(k *kernel.Kernel, l slot, values map[string]string) (lab.Plan, error) {
	setting, err := b.a.setting(k, l.scenario, l.name, values)
	if err != nil {
		return lab.Plan{}, err
	}
	steps := l.scenario.Steps(setting)
	for i := range steps {
		steps[i].Checks = nil
	}
	return lab.Plan{Lab: l.name, Scenario: l.scenario.Name, Params: values, Steps: steps}, nil
}

func (b *randomBed) runner(k *kernel.Kernel, dir journal.Dir) *lab.Runner {
	return &lab.Runner{Kernel: k, Codec: b.a.runner(k, "", nil).Codec, Dir: dir, Now: time.Now, Machine: "host", Emit: func(e lab.Event) {
		if e.Error != "" || e.Type == lab.UndoSkip {
			b.events = append(b.events, fmt.Sprintf("%s %s %s: %s %s %v", e.Type, e.Lab, e.Command, e.Error, e.Outcome, e.Values))
		}
	}}
}

func (b *randomBed) check(l slot) (err error) {
	state, err := b.a.labs.Read(l.name)
	if err != nil {
		return err
	}
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	plan, err := b.plan(k, l, state.Header.Params)
	if err != nil {
		return err
	}
	return b.runner(k, b.a.labs).Check(context.Background(), plan, func(step string) bool {
		_, done := state.Steps[step]
		return done
	})
}

func (b *randomBed) teardown(dir journal.Dir, name string) (err error) {
	lock, err := dir.Lock(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	j, err := dir.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	return b.runner(k, dir).Teardown(context.Background(), j)
}

// killedAfter runs the real program and kills it after a while.
func (b *randomBed) killedAfter(l slot, d deed) error {
	args := append(strings.Fields(l.String()), "--no-before", "-q")
	if d.verb == "teardown" {
		args = []string{"teardown", l.name, "-q"}
	}
	cmd := exec.Command("netlab", args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return err
	}
	timer := time.AfterFunc(d.wait, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait()
	timer.Stop()
	if strings.Contains(said.String(), "panic:") {
		return errors.New(said.String())
	}
	return nil
}

func shell(script string) (string, error) {
	out, err := exec.Command("bash", "-c", script).CombinedOutput()
	return string(out), err
}
