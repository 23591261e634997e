package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"netlab/lab"
	"netlab/lab/machine"
	"netlab/lab/measure"
	"netlab/scenarios"
)

// compareExchanges is how many echo requests are sent in each round: they take
// some 20 µs each, so time is no matter.
const compareExchanges = 200

// Bounds of the flags of `compare`.
const (
	mostRounds  = 999
	longestSpan = 10 * time.Second
)

func (a *app) compareCommand() *cobra.Command {
	effort := measure.Effort{Exchanges: compareExchanges}
	cmd := &cobra.Command{
		Use:     "compare SCENARIO SCENARIO",
		Short:   a.say("short.compare"),
		Long:    a.fill("long.compare", "known", a.list(toCompare())),
		Example: a.say("example.compare"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.compare(cmd.Context(), args, effort)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			left := slices.DeleteFunc(toCompare(), func(name string) bool { return slices.Contains(args, name) })
			if len(args) > 1 {
				left = nil
			}
			return left, cobra.ShellCompDirectiveNoFileComp
		},
	}
	// Many short rounds: what disturbs one way is then soon in the other one's too.
	cmd.Flags().IntVar(&effort.Rounds, "rounds", 81, a.say("flag.rounds"))
	cmd.Flags().DurationVar(&effort.Span, "duration", 20*time.Millisecond, a.say("flag.duration"))
	return cmd
}

// toCompare are the names of the scenarios that can be compared.
func toCompare() []string {
	var known []string
	for _, s := range scenarios.All() {
		if s.Talk != nil {
			known = append(known, s.Name)
		}
	}
	return known
}

// compare builds both labs in a sandbox of their own, which is gone afterwards.
func (a *app) compare(ctx context.Context, args []string, effort measure.Effort) error {
	chosen, err := a.checkCompare(args, effort)
	if err != nil {
		return err
	}
	_, inside, err := machine.Here()
	if err != nil {
		return err
	}
	if !inside {
		return a.compareInSandbox(ctx, chosen)
	}
	// Only in a sandbox of its own: forwarding is turned off in it for a while.
	switch labs, err := a.labs.Labs(); {
	case err != nil:
		return err
	case len(labs) > 0:
		return &usageError{Text: a.fill("compare.inside", "lab", labs[0])}
	}
	err = a.compareHere(ctx, chosen, effort)
	if ctx.Err() != nil && !errors.Is(err, lab.ErrInterrupted) {
		err = errors.Join(lab.ErrInterrupted, err)
	}
	return shown(err)
}

// checkCompare finds the two scenarios, and looks at the flags.
func (a *app) checkCompare(args []string, effort measure.Effort) ([]scenarios.Scenario, error) {
	known := toCompare()
	var chosen []scenarios.Scenario
	for _, name := range args {
		s, ok := scenarios.Named(name)
		switch {
		case !ok || s.Talk == nil:
			return nil, a.unknown("compare.unknown", name, known, "netlab compare --help")
		case len(chosen) == 1 && chosen[0].Name == name:
			return nil, &usageError{Text: a.fill("compare.same", "scenario", name), Next: "netlab compare --help"}
		}
		chosen = append(chosen, s)
	}
	if len(chosen) != 2 {
		return nil, &usageError{Text: a.fill("compare.two", "known", a.list(known)), Next: "netlab compare --help"}
	}
	if effort.Rounds < 1 || effort.Rounds > mostRounds {
		return nil, a.badEffort("rounds", strconv.Itoa(effort.Rounds), "1", strconv.Itoa(mostRounds))
	}
	if effort.Span < time.Millisecond || effort.Span > longestSpan {
		return nil, a.badEffort("duration", effort.Span.String(), "1ms", longestSpan.String())
	}
	return chosen, nil
}

func (a *app) badEffort(flag, value, least, most string) error {
	why := a.fill("compare.bounds", "least", least, "most", most)
	return &usageError{Text: a.fill("bad", "param", flag, "value", value, "why", why), Next: "netlab compare --help"}
}

// compareInSandbox runs the same command in a sandbox made for it, which ends
// with it, whatever comes of it.
func (a *app) compareInSandbox(ctx context.Context, chosen []scenarios.Scenario) error {
	name := fmt.Sprintf("compare-%d", os.Getpid())
	var plan machine.Plan
	for _, c := range chosen {
		plan = union(plan, planOf(c, c.Name, c.Defaults(), machine.SandboxFacts()))
	}
	plan.Again = a.asTyped().Again
	s, err := a.startSandbox(ctx, name, plan)
	if err != nil {
		return err
	}
	return errors.Join(a.enter(ctx, s, a.args...), s.Stop())
}
