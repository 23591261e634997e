package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"netlab/lab/machine"
	"netlab/scenarios"
)

// whatIfOptions are the flags of `whatif SCENARIO` besides the scenario's own.
type whatIfOptions struct {
	skip []string
	set  []string
	here bool
}

func (a *app) whatIfCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:         "whatif SCENARIO",
		Short:       a.say("short.whatif"),
		Long:        a.say("long.whatif"),
		Example:     a.say("example.whatif"),
		Args:        a.noSuchScenario,
		Annotations: map[string]string{moreOutputs: markdown},
		RunE:        func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, s := range scenarios.All() {
		cmd.AddCommand(a.whatIfScenarioCommand(s))
	}
	return cmd
}

func (a *app) whatIfScenarioCommand(s scenarios.Scenario) *cobra.Command {
	var o whatIfOptions
	cmd := &cobra.Command{
		Use:         s.Name,
		Short:       a.fill("short.whatif-scenario", "scenario", s.Name),
		Long:        a.fill("long.whatif-scenario", "scenario", s.Name),
		Example:     a.whatIfExample(s),
		Args:        a.noMoreThan(0),
		Annotations: map[string]string{moreOutputs: markdown, settingsOf: s.Name},
		RunE: func(cmd *cobra.Command, _ []string) error {
			values, _ := chosen(cmd.Flags(), s)
			return a.whatIf(cmd.Context(), s, values, o)
		},
	}
	flags := cmd.Flags()
	a.addParams(flags, s)
	flags.StringSliceVar(&o.skip, "skip", nil, a.say("flag.skip"))
	flags.StringSliceVar(&o.set, "set", nil, a.say("flag.set"))
	for name, known := range map[string][]string{"skip": stepIDs(s), "set": a.settings(s)} {
		flags.Lookup(name).DefValue = ""
		err := cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return known, cobra.ShellCompDirectiveNoFileComp
		})
		if err != nil {
			panic(err) // the flag was added above
		}
	}
	flags.BoolVar(&o.here, "here", false, "try one, in the sandbox that this process is in")
	flags.Lookup("here").Hidden = true
	return cmd
}

// settingsOf is the annotation of a command that takes --set: whose settings.
const settingsOf = "settings-of"

// settingRows are what can be set for a command, with what each is; none for one that
// sets nothing.
func (a *app) settingRows(cmd *cobra.Command) [][2]string {
	s, _ := scenarios.Named(cmd.Annotations[settingsOf])
	var rows [][2]string
	for _, v := range s.Variations {
		values := strings.Join(v.Values, "|")
		if v.Values == nil {
			values = "VALUE"
		}
		rows = append(rows, [2]string{
			v.Name + "=" + values,
			a.fill("whatif.setting", "what", a.say("vary."+s.Name+"."+v.Name), "is", is(s, v)),
		})
	}
	return rows
}

// is says what a thing is when it is not set.
func is(s scenarios.Scenario, v scenarios.Variation) string {
	if v.Values == nil {
		return s.Defaults()[v.Name]
	}
	return v.Is
}

func (a *app) whatIfExample(s scenarios.Scenario) string {
	example := a.fill("example.whatif-scenario", "scenario", s.Name, "step", stepIDs(s)[2])
	if known := a.settings(s); strings.Contains(known[0], "=") && !strings.HasSuffix(known[0], "=") {
		example += "\n" + a.fill("example.whatif-set", "scenario", s.Name, "setting", known[0])
	}
	return example
}

// settings are all that can be set, as it is typed; of what can be anything, the name.
func (a *app) settings(s scenarios.Scenario) []string {
	var all []string
	for _, v := range s.Variations {
		for _, value := range v.Values {
			all = append(all, v.Name+"="+value)
		}
		if v.Values == nil {
			all = append(all, v.Name+"=")
		}
	}
	return all
}

// whatIf tries the lab with everything, and then otherwise, each time in a sandbox of
// its own.
func (a *app) whatIf(ctx context.Context, s scenarios.Scenario, values scenarios.Values, o whatIfOptions) error {
	if err := s.Check(values); err != nil {
		return err
	}
	asked, err := a.checkTrial(s, values, o)
	if err != nil {
		return err
	}
	if o.here {
		return a.tryHere(ctx, s, values, asked)
	}
	trials := []trial{{}, asked}
	if asked.nothing() {
		trials = trials[:1]
		for _, id := range stepIDs(s) {
			trials = append(trials, trial{Skip: []string{id}})
		}
	}
	view, err := a.whatIfView(s, values)
	if err != nil {
		return err
	}
	return a.tryAll(ctx, s, values, trials, view)
}

// checkTrial reads the flags --skip and --set.
func (a *app) checkTrial(s scenarios.Scenario, values scenarios.Values, o whatIfOptions) (trial, error) {
	help := "netlab whatif " + s.Name + " --help"
	for _, step := range o.skip {
		if ids := stepIDs(s); !slices.Contains(ids, step) {
			return trial{}, a.unknown("unknown.step", step, ids, help)
		}
	}
	t := trial{Skip: o.skip}
	for _, text := range o.set {
		name, value, ok := strings.Cut(text, "=")
		v, known := s.Variation(name)
		if !known {
			var names []string
			for _, v := range s.Variations {
				names = append(names, v.Name)
			}
			return trial{}, a.unknown("whatif.unknown", name, names, help)
		}
		if slices.ContainsFunc(t.Set, func(set setTo) bool { return set.Name == name }) {
			why := a.fill("whatif.twice", "name", name)
			return trial{}, &usageError{Text: a.fill("bad", "param", "set", "value", text, "why", why), Next: help}
		}
		if v.Values == nil && ok {
			if err := s.Check(maps(values, scenarios.Values{name: value})); err != nil {
				return trial{}, err
			}
		} else if !slices.Contains(v.Values, value) {
			why := a.fill("whatif.values", "known", a.list(v.Values), "is", is(s, v))
			if v.Values == nil {
				why = a.fill("whatif.no-value", "name", name)
			}
			return trial{}, &usageError{Text: a.fill("bad", "param", "set", "value", text, "why", why), Next: help}
		}
		t.Set = append(t.Set, setTo{name, value})
	}
	return t, nil
}

// moreOutputs is the annotation of a command that can print more than text and JSON.
const (
	moreOutputs = "more-outputs"
	markdown    = "markdown"
)

// emptySandbox refuses what is to be done only in a sandbox made for it.
func (a *app) emptySandbox() error {
	_, inside, err := machine.Here()
	if err != nil {
		return err
	}
	labs, err := a.labs.Labs()
	if err != nil {
		return err
	}
	if !inside || len(labs) > 0 {
		return &usageError{Text: a.say("whatif.here")}
	}
	return nil
}
