package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
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
		return stepIDs(s), cobra.ShellCompDirectiveNoFileComp
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

func stepIDs(s scenarios.Scenario) []string {
	var ids []string
	for _, step := range s.Steps(scenarios.Setting{Values: s.Defaults()}) {
		ids = append(ids, step.ID)
	}
	return ids
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
		if ids := stepIDs(s); step != "" && !contains(ids, step) {
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
	sandbox := !inside && (o.sandbox || !allowed)
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
		return err
	}
	if sandbox {
		if !o.sandbox && existing.sandbox == nil && !a.quiet {
			fmt.Fprintln(a.stderr, a.fill("run.sandbox-because", "missing", a.rights(missing)))
		}
		return a.runInSandbox(cmd.Context(), o, existing.sandbox)
	}
	return a.runHere(cmd.Context(), s, o, values, given, inside)
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

// runInSandbox runs the same command inside, in a sandbox that is made first if
// need be, and ended after if no lab is left in it.
func (a *app) runInSandbox(ctx context.Context, o runOptions, s *machine.Sandbox) error {
	if s == nil {
		var err error
		if s, err = machine.Start(o.lab); err != nil {
			return err
		}
	}
	err := a.enter(ctx, s, a.args...)
	labs, labsErr := place{sandbox: s}.dir().Labs()
	if labsErr == nil && len(labs) == 0 {
		return errors.Join(err, s.Stop())
	}
	return errors.Join(err, labsErr, s.Close())
}

// runHere runs the scenario on the machine that this process sees.
func (a *app) runHere(ctx context.Context, s scenarios.Scenario, o runOptions, values, given scenarios.Values, inside bool) (err error) {
	kept, err := openTranscript(o.transcript)
	if err != nil {
		return err
	}
	dir := a.labs
	lock, err := dir.Lock(o.lab)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()

	j, err := dir.Open(o.lab)
	switch {
	case err == nil:
		values, err = a.resumed(s, j, values, given)
	case errors.Is(err, fs.ErrNotExist):
		values, j, err = a.begin(k, dir, s, o, values, inside)
	default:
		err = a.journalRefused(o.lab, err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	setting, err := a.setting(k, s, o.lab, values)
	if err != nil {
		return err
	}
	plan := lab.Plan{Lab: o.lab, Scenario: s.Name, Params: values, Steps: s.Steps(setting), Explain: explain(s, setting)}
	x, err := a.perform(k, s, setting, plan, o, kept)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.close()) }()
	r := a.runner(k, place{}.kind(inside), x.view)
	options := lab.Options{Until: o.until, NoBefore: o.noBefore}
	if x.led != nil {
		x.led.runner, x.led.journal, options.Gate = r, j, x.led
	}
	if o.from != "" {
		err = shown(r.Rewind(ctx, plan, j, o.from))
	}
	if err == nil {
		err = shown(r.Run(ctx, plan, j, options))
	}
	if o.teardown {
		if a.output == "text" && !a.quiet {
			fmt.Fprintln(a.stdout)
		}
		err = errors.Join(err, shown(r.Teardown(context.WithoutCancel(ctx), j)))
	}
	return err
}

// begin makes sure that nothing is in the way of a new lab, and only then
// writes its journal.
func (a *app) begin(k *kernel.Kernel, dir journal.Dir, s scenarios.Scenario, o runOptions, values scenarios.Values, inside bool) (scenarios.Values, *journal.Journal, error) {
	values, err := a.resolve(k, s, o.lab, values)
	if err != nil {
		return nil, nil, err
	}
	j, err := dir.Create(journal.Header{Lab: o.lab, Scenario: s.Name, Params: values, Created: a.now()})
	return values, j, err
}

// resumed are the values that a lab was begun with. Others that are given now
// can't be followed: what is done, is done.
func (a *app) resumed(s scenarios.Scenario, j *journal.Journal, _, given scenarios.Values) (scenarios.Values, error) {
	if j.Header.Scenario != s.Name {
		return nil, errors.Join(&usageError{
			Text: a.fill("run.other-scenario", "lab", j.Header.Lab, "scenario", j.Header.Scenario),
			Next: "netlab teardown " + j.Header.Lab,
		}, j.Close())
	}
	values := s.Defaults()
	for name := range values {
		if was, ok := j.Header.Params[name]; ok {
			values[name] = was
		}
		if now, ok := given[name]; ok && now != values[name] && (name != "nat" || now != "auto") {
			return nil, errors.Join(&usageError{
				Text: a.fill("run.other-value", "lab", j.Header.Lab, "param", name, "was", values[name], "now", now),
				Next: "netlab teardown " + j.Header.Lab,
			}, j.Close())
		}
	}
	return values, nil
}

// journalRefused says what to do about a journal that can't be used.
func (a *app) journalRefused(lab string, err error) error {
	switch {
	case errors.Is(err, journal.ErrDamaged):
		return &usageError{Text: a.fill("journal.damaged", "error", err.Error()), Next: "netlab teardown " + lab + " --salvage"}
	case errors.Is(err, journal.ErrNewer):
		return &usageError{Text: a.fill("journal.newer", "error", err.Error())}
	}
	return err
}
