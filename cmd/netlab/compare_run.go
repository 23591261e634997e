package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"netlab/lab/kernel"
	"netlab/lab/measure"
	"netlab/scenarios"
)

// comparison is two labs side by side, as one line of JSON.
type comparison struct {
	Version   int              `json:"v"`
	Type      string           `json:"type"` // "comparison"
	Labs      []comparedWay    `json:"labs"`
	Rounds    int              `json:"rounds"`
	Exchanges int              `json:"exchanges"`
	SpanMS    float64          `json:"duration_ms"`
	Figures   []comparedFigure `json:"figures"`
	result    measure.Result   // what Figures is made of
	effort    measure.Effort   //
}

const datagramsSent = "datagrams-sent"

// comparedFigure is one quantity, of each lab in their order.
type comparedFigure struct {
	ID string `json:"id"`
	// Unit is "ns", "bit/s" or "1/s".
	Unit    string      `json:"unit"`
	Medians []float64   `json:"medians"`
	Rounds  [][]float64 `json:"rounds"`
	// Cost is how many times the time that Against takes for the same Of takes;
	// below 1: less.
	Of      string        `json:"of"`
	Against string        `json:"against"`
	Cost    measure.Ratio `json:"cost"`
}

// compareHere builds both labs here, one beside the other, so that they can be
// measured in turns, and takes them down whatever happens.
func (a *app) compareHere(ctx context.Context, chosen []scenarios.Scenario, effort measure.Effort) (err error) {
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	var labs []*builtLab
	defer func() {
		for _, b := range slices.Backward(labs) {
			err = errors.Join(err, b.down())
		}
	}()
	for _, s := range chosen {
		a.tell("compare.building", "scenario", s.Name)
		b, err := a.build(ctx, k, s)
		if err != nil {
			return err
		}
		labs = append(labs, b)
	}
	c, err := a.weigh(ctx, k, labs, effort)
	if err != nil {
		return err
	}
	if a.output == "json" {
		a.printJSON(c)
		return nil
	}
	a.showComparison(c)
	return nil
}

// tell says what is being done, beside the results.
func (a *app) tell(key string, pairs ...string) {
	if !a.quiet && a.output == "text" {
		a.errPaper().prose("", a.fill(key, pairs...), nil)
	}
}

// weigh follows a packet through each lab, and measures them against each other.
func (a *app) weigh(ctx context.Context, k *kernel.Kernel, labs []*builtLab, effort measure.Effort) (comparison, error) {
	c := comparison{
		Version: jsonVersion, Type: "comparison", effort: effort,
		Rounds: effort.Rounds, Exchanges: effort.Exchanges, SpanMS: float64(effort.Span.Microseconds()) / 1000,
	}
	var ways []measure.Way
	for _, b := range labs {
		w, err := b.follow(ctx, k)
		if err != nil {
			return c, err
		}
		c.Labs = append(c.Labs, w)
		ways = append(ways, measure.Way{From: b.talk.From, To: b.talk.To, Addr: b.talk.Addr})
	}
	// Two kinds for each lab send for a whole span a round.
	a.tell("compare.measuring", "time", short(time.Duration(4*effort.Rounds)*effort.Span))
	var err error
	if c.result, err = measure.Run(ctx, k, ways, effort, nil); err != nil {
		return c, err
	}
	if err := withoutForwarding(ctx, k, labs, c.Labs); err != nil {
		return c, fmt.Errorf("try without forwarding: %w", err)
	}
	c.figure()
	return c, nil
}

// figure works out what the one that routes more costs against the other; of two
// that route alike, the first.
func (c *comparison) figure() {
	of, against := 0, 1
	if c.Labs[1].Routed > c.Labs[0].Routed {
		of, against = 1, 0
	}
	for _, f := range []struct {
		id, unit string
		measure.Figure
	}{
		{"round-trip", "ns", c.result.RTT},
		{"tcp", "bit/s", c.result.TCP},
		{datagramsSent, "1/s", c.result.Sent},
		{"datagrams", "1/s", c.result.Received},
	} {
		cost := f.Ratio(against, of) // of what a second brings, the reciprocal is what it costs
		if f.unit == "ns" {
			cost = f.Ratio(of, against)
		}
		c.Figures = append(c.Figures, comparedFigure{
			ID: f.id, Unit: f.unit, Medians: []float64{f.Median(0), f.Median(1)}, Rounds: f.Rounds,
			Of: c.Labs[of].Scenario, Against: c.Labs[against].Scenario, Cost: cost,
		})
	}
}

// shown are the figures that a person is told: of datagrams, those that arrived.
func (c *comparison) shown() []comparedFigure {
	return slices.DeleteFunc(slices.Clone(c.Figures), func(f comparedFigure) bool { return f.ID == datagramsSent })
}
