package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// interruptSignal is what stops a netlab between two changes.
const interruptSignal = unix.SIGINT

// runOptions are the flags of `run SCENARIO` besides the scenario's own.
type runOptions struct {
	lab      string
	until    string
	sandbox  bool
	dryRun   bool
	noBefore bool
	teardown bool

	from       string
	step       bool
	auto       time.Duration
	transcript string
	picture    bool
}

func (a *app) runCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run SCENARIO",
		Short: a.say("short.run"),
		Long:  a.say("long.run"),
		Args:  a.noSuchScenario,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, s := range scenarios.All() {
		cmd.AddCommand(a.runScenarioCommand(s))
	}
	return cmd
}

// noSuchScenario takes what is not the name of a scenario's subcommand.
func (a *app) noSuchScenario(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, s := range scenarios.All() {
		known = append(known, s.Name)
	}
	return a.unknown("unknown.scenario", args[0], known, "netlab list")
}

// scenarioOf is the scenario of a lab that is up. An older netlab, or a newer one, may
// have known others.
func (a *app) scenarioOf(h journal.Header) (scenarios.Scenario, error) {
	s, ok := scenarios.Named(h.Scenario)
	if !ok {
		return s, a.unknownTo(h.Lab, h.Scenario)
	}
	return s, nil
}

// unknownTo is the error for a lab that is built from what this netlab doesn't know.
func (a *app) unknownTo(lab, what string) error {
	return &usageError{Text: a.fill("lab.unknown-scenario", "lab", lab, "scenario", what)}
}

func (a *app) runScenarioCommand(s scenarios.Scenario) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:     s.Name,
		Short:   a.scenarioTitle(s),
		Long:    a.scenarioIntro(s),
		Example: a.fill("example.run", "scenario", s.Name),
		Args:    a.noMoreThan(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runScenario(cmd, s, o)
		},
	}
	flags := cmd.Flags()
	a.addParams(flags, s)
	flags.StringVar(&o.lab, "name", s.Name, a.say("flag.name"))
	flags.StringVar(&o.until, "until", "", a.say("flag.until"))
	flags.BoolVar(&o.sandbox, "sandbox", false, a.say("flag.sandbox"))
	flags.BoolVar(&o.dryRun, "dry-run", false, a.say("flag.dry-run"))
	flags.BoolVar(&o.noBefore, "no-before", false, a.say("flag.no-before"))
	flags.BoolVar(&o.teardown, "teardown", false, a.say("flag.teardown"))
	flags.StringVar(&o.from, "from", "", a.say("flag.from"))
	flags.BoolVar(&o.step, "step", false, a.say("flag.step"))
	flags.DurationVar(&o.auto, "auto", 0, a.say("flag.auto"))
	flags.BoolVar(&o.picture, "picture", false, a.say("flag.picture"))
	flags.StringVar(&o.transcript, "transcript", "", a.say("flag.transcript"))
	steps := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return everyStepID(s), cobra.ShellCompDirectiveNoFileComp
	}
	for _, flag := range []string{"until", "from"} {
		if err := cmd.RegisterFlagCompletionFunc(flag, steps); err != nil {
			panic(err) // the flag was added above
		}
	}
	return cmd
}

// addParams gives a command a flag for each parameter of a scenario.
func (a *app) addParams(flags *pflag.FlagSet, s scenarios.Scenario) {
	for _, p := range s.Params {
		flags.String(p.Name, p.Default, a.say("param."+s.Name+"."+p.Name))
	}
}

// chosen reads a scenario's parameters from the flags, and which were given.
func chosen(flags *pflag.FlagSet, s scenarios.Scenario) (values, given scenarios.Values) {
	values, given = scenarios.Values{}, scenarios.Values{}
	for _, p := range s.Params {
		f := flags.Lookup(p.Name)
		values[p.Name] = f.Value.String()
		if f.Changed {
			given[p.Name] = f.Value.String()
		}
	}
	return values, given
}

// whySandbox says why a lab that was not asked to runs in a sandbox.
func (a *app) whySandbox(s scenarios.Scenario, missing []string) string {
	if s.Sandboxed {
		return a.fill("run.sandbox-always", "scenario", s.Name)
	}
	if onlyReadOnly(missing) {
		return a.say("run.sandbox-read-only")
	}
	return a.fill("run.sandbox-because", "missing", a.rightsOfRoot(missing))
}

// stepIDs are the steps that the scenario has on any machine.
func stepIDs(s scenarios.Scenario) []string {
	return idsOf(s.Steps(scenarios.Setting{Values: s.Defaults()}))
}

// everyStepID has those too that are needed only behind a firewall.
func everyStepID(s scenarios.Scenario) []string {
	walled := lab.Facts{BridgeFirewall: true, Walls: []lab.Wall{{Program: "iptables", Chain: "FORWARD"}}}
	return idsOf(s.Steps(scenarios.Setting{Values: s.Defaults(), Facts: walled}))
}

func idsOf(steps []lab.Step) []string {
	var ids []string
	for _, step := range steps {
		ids = append(ids, step.ID)
	}
	return ids
}

// atOrBefore is that step or, where this machine needs none of that ID, the one it
// would come after.
func atOrBefore(s scenarios.Scenario, steps []lab.Step, id string) string {
	every, here := everyStepID(s), idsOf(steps)
	for i := slices.Index(every, id); i > 0 && !slices.Contains(here, id); i-- {
		id = every[i-1]
	}
	return id
}

// atOrAfter is that step or, where this machine needs none of that ID, the one that
// would come after it; empty: there is none.
func atOrAfter(s scenarios.Scenario, steps []lab.Step, id string) string {
	every, here := everyStepID(s), idsOf(steps)
	for i := slices.Index(every, id); i >= 0 && i < len(every); i++ {
		if slices.Contains(here, every[i]) {
			return every[i]
		}
	}
	return ""
}

func (a *app) runScenario(cmd *cobra.Command, s scenarios.Scenario, o runOptions) error {
	values, given := chosen(cmd.Flags(), s)
	if err := s.Check(values); err != nil {
		return err
	}
	if err := scenarios.CheckLabName(o.lab); err != nil {
		return err
	}
	for _, step := range []string{o.until, o.from} {
		if ids := everyStepID(s); step != "" && !slices.Contains(ids, step) {
			return a.unknown("unknown.step", step, ids, "netlab run "+s.Name+" --dry-run")
		}
	}
	if err := a.checkStepFlags(o); err != nil {
		return err
	}
	_, inside, err := machine.Here()
	if err != nil {
		return err
	}
	allowed, missing := machine.CanUseHost()
	sandbox := !inside && (o.sandbox || !allowed || s.Sandboxed)
	if o.dryRun {
		return a.dryRun(s, o, values, sandbox)
	}
	existing, err := find(o.lab)
	switch {
	case err == nil && existing.sandbox != nil:
		sandbox = true // it goes on where it is
	case err == nil && o.sandbox && !inside:
		return &usageError{
			Text: a.fill("run.is-on-host", "lab", o.lab), Next: "netlab run " + s.Name + " --sandbox --name " + o.lab + "2",
		}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return cmp.Or(a.roomForState(s, o.lab, !sandbox), err)
	}
	if sandbox {
		if why := a.whySandbox(s, missing); !o.sandbox && existing.sandbox == nil && !a.quiet {
			fmt.Fprintln(a.stderr, why)
		}
		return a.runInSandbox(cmd.Context(), s, o, values, existing.sandbox)
	}
	return a.runHere(cmd.Context(), s, o, values, given, inside)
}
