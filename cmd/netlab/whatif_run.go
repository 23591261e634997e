package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"

	"netlab/lab"
	"netlab/scenarios"
)

// whatIfView is told of each trial, in their order, and of the end.
type whatIfView struct {
	start func(trials []trial)
	row   func(whatIfRow)
	end   func(whatIfEnd)
}

// tryAll does the trials, each in a sandbox of its own, as many at once as there are
// cores. The first of them is the lab with nothing left out.
func (a *app) tryAll(ctx context.Context, s scenarios.Scenario, values scenarios.Values, trials []trial, view whatIfView) error {
	started := a.now()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	type result struct {
		row whatIfRow
		err error
	}
	results := make([]chan result, len(trials))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	atOnce := min(runtime.NumCPU(), len(trials))
	next := make(chan int)
	go func() {
		defer close(next)
		for i := range trials {
			next <- i
		}
	}()
	for range atOnce {
		go func() {
			for i := range next {
				var r result
				if r.err = lab.ErrInterrupted; ctx.Err() == nil {
					r.row, r.err = a.tryInSandbox(ctx, s, values, trials[i], i+1)
				}
				results[i] <- r
			}
		}()
	}
	a.tell("whatif.trying", "scenario", s.Name, "count", strconv.Itoa(len(trials)), "cores", strconv.Itoa(atOnce))
	view.start(trials)
	var errs []error
	var baseline whatIfRow
	end := whatIfEnd{Version: jsonVersion, Type: "whatif-end", Scenario: s.Name, Holds: true}
	for i := range results { // all of them, also when one has failed: each cleans up
		r := <-results[i]
		if r.err != nil {
			stop()
			errs = append(errs, r.err)
			continue
		}
		if len(errs) > 0 {
			continue
		}
		if i == 0 {
			baseline = r.row
			end.Holds = r.row.holds()
		} else {
			r.row.against(baseline)
			end.count(r.row)
		}
		view.row(r.row)
	}
	if len(errs) > 0 {
		return worst(errs)
	}
	end.ElapsedMS = float64(a.now().Sub(started).Microseconds()) / 1000
	view.end(end)
	if !end.Holds {
		return shown(fmt.Errorf("%s with nothing left out: %w", s.Name, lab.ErrFailed))
	}
	return nil
}

// worst is the first error that is not the end of the others; being stopped, where
// that is all.
func worst(errs []error) error {
	for _, err := range errs {
		if !errors.Is(err, lab.ErrInterrupted) {
			return err
		}
	}
	return shown(errs[0])
}

// tryInSandbox does one trial in a sandbox that ends with it.
func (a *app) tryInSandbox(ctx context.Context, s scenarios.Scenario, values scenarios.Values, t trial, number int) (row whatIfRow, err error) {
	name := fmt.Sprintf("whatif-%d-%d", os.Getpid(), number)
	box, err := a.startSandbox(ctx, name, a.asTyped())
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, box.Stop()) }()
	inside := *a // its words come through us
	events, said := &bytes.Buffer{}, &bytes.Buffer{}
	inside.stdin, inside.stdout, inside.stderr = nil, events, said
	err = inside.enter(ctx, box, t.args(s, values)...)
	var status exitStatus
	switch {
	case ctx.Err() != nil || errors.As(err, &status) && int(status) == exitInterrupted:
		return row, lab.ErrInterrupted
	case err != nil:
		return row, a.refusedTrial(s, t, said.String(), err)
	}
	return readRow(events, s, t)
}

// refusedTrial is the error of a netlab inside that could not try it, in the words that
// it said to nobody but us.
func (a *app) refusedTrial(s scenarios.Scenario, t trial, said string, err error) error {
	said = strings.TrimPrefix(strings.TrimSpace(said), "netlab: ")
	if said == "" {
		said = err.Error()
	}
	text := fmt.Sprintf("try %s (%s): %s", s.Name, t.label(a), said)
	switch exitCode(err) {
	case exitCannot:
		return &cannotError{Text: text}
	case exitUsage:
		return &usageError{Text: text}
	}
	return errors.New(text)
}

// readRow makes a row of the events of its run and of its teardown.
func readRow(events io.Reader, s scenarios.Scenario, t trial) (whatIfRow, error) {
	row := whatIfRow{Version: jsonVersion, Type: "whatif", Scenario: s.Name, trial: t, Checks: []whatIfCell{}}
	down := false
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, 16<<20) // a followed packet is a long line
	for lines.Scan() {
		var e jsonEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return row, fmt.Errorf("read what was tried: %w", err)
		}
		e.Elapsed = milliseconds(e.ElapsedMS)
		row.add(e.Event)
		down = down || e.Type == lab.UndoEnd && e.Outcome == lab.Down
	}
	if err := lines.Err(); err != nil {
		return row, fmt.Errorf("read what was tried: %w", err)
	}
	if !down {
		return row, fmt.Errorf("%s was not taken down: %w", s.Name, lab.ErrFailed)
	}
	return row, nil
}
