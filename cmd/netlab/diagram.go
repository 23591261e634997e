package main

import (
	"errors"
	"io/fs"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/lab/practice"
	"netlab/scenarios"
)

// diagramOptions are the flags of `diagram` besides a scenario's own.
type diagramOptions struct {
	format  string
	until   string
	sandbox bool
}

func (a *app) diagramCommand() *cobra.Command {
	var o diagramOptions
	cmd := &cobra.Command{
		Use:     "diagram [LAB|SCENARIO]",
		Short:   a.say("short.diagram"),
		Long:    a.say("long.diagram"),
		Example: a.say("example.diagram"),
		Args:    a.noMoreThan(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.checkDiagram(cmd, o); err != nil {
				return err
			}
			var p place
			var err error
			if len(args) == 0 {
				p, err = a.only()
			} else {
				p, err = a.named(args[0])
			}
			if err != nil {
				return err
			}
			return a.diagramLab(cmd, p, o)
		},
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&o.format, "format", "text", a.say("flag.format"))
	flags.StringVar(&o.until, "until", "", a.say("flag.diagram-until"))
	fixed := func(values ...string) cobra.CompletionFunc {
		return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	}
	if err := cmd.RegisterFlagCompletionFunc("format", fixed(pictureForms()...)); err != nil {
		panic(err) // the flag was added above
	}
	// The flag is one for all scenarios, but the steps are those of the one given.
	steps := func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		if s, ok := scenarios.Named(cmd.Name()); ok {
			return everyStepID(s), cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if err := cmd.RegisterFlagCompletionFunc("until", steps); err != nil {
		panic(err) // as above
	}
	for _, s := range scenarios.All() {
		c := &cobra.Command{
			Use:   s.Name,
			Short: a.fill("short.diagram-scenario", "scenario", s.Name),
			Args:  a.noMoreThan(0),
			RunE: func(cmd *cobra.Command, _ []string) error {
				if err := a.checkDiagram(cmd, o); err != nil {
					return err
				}
				p, err := find(s.Name)
				if err == nil {
					return a.diagramLab(cmd, p, o)
				}
				if !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				values, _ := chosen(cmd.Flags(), s)
				return a.diagramScenario(s, values, o)
			},
		}
		a.addParams(c.Flags(), s)
		c.Flags().BoolVar(&o.sandbox, "sandbox", false, a.say("flag.diagram-sandbox"))
		cmd.AddCommand(c)
	}
	return cmd
}

// pictureForms are the forms that a picture can have.
func pictureForms() []string { return []string{"text", "mermaid", "dot", "svg"} }

func (a *app) checkDiagram(cmd *cobra.Command, o diagramOptions) error {
	next := cmd.CommandPath() + " --help"
	if !slices.Contains(pictureForms(), o.format) {
		return &usageError{Text: a.notOneOf("format", o.format, pictureForms()), Next: next}
	}
	if a.output == "json" && cmd.Flags().Changed("format") {
		return &usageError{Text: a.say("picture.json-or-format"), Next: next}
	}
	return nil
}

// diagramLab draws a lab that is up, with what the kernel says of it now.
func (a *app) diagramLab(cmd *cobra.Command, p place, o diagramOptions) (err error) {
	if p.sandbox != nil {
		defer func() { err = errors.Join(err, p.sandbox.Close()) }()
		return a.enter(cmd.Context(), p.sandbox, a.args...)
	}
	state, err := p.dir().Read(p.lab)
	if err != nil {
		return a.journalRefused(p.lab, err)
	}
	s, err := a.scenarioOf(state.Header)
	if err != nil {
		return err
	}
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	setting, err := a.sketch(k, s, p.lab, maps(s.Defaults(), state.Header.Params), false)
	if err != nil {
		return err
	}
	steps := s.Steps(setting)
	reached := func(id string) bool { _, ok := state.Steps[id]; return ok }
	if state.Header.Practice {
		by, err := practice.Load(practiceFile(p))
		if err != nil {
			return err
		}
		reached = by.Reached
	}
	var done []lab.Step
	for _, step := range steps {
		if reached(step.ID) {
			done = append(done, step)
		}
	}
	if ids := everyStepID(s); o.until != "" && !slices.Contains(ids, o.until) {
		return a.unknown("unknown.step", o.until, ids, "netlab status")
	}
	o.until = atOrBefore(s, steps, o.until)
	shown := upTo(done, o.until)
	if o.until != "" && (len(shown) == 0 || shown[len(shown)-1].ID != o.until) {
		return &usageError{
			Text: a.fill("picture.not-done", "step", o.until, "lab", p.lab),
			Next: "netlab run " + s.Name + map[bool]string{true: " --name " + p.lab}[p.lab != s.Name] + " --until " + o.until,
		}
	}
	title := a.fill("picture.live", "lab", p.lab, "steps", strconv.Itoa(len(shown)), "total", strconv.Itoa(len(steps)))
	if state.Header.Practice && o.until == "" {
		shown = append(shown, underWay(k, steps, reached)...)
	}
	pic, err := plannedPicture(setting.Facts, shown, o).Alive(k)
	if err != nil {
		return err
	}
	return a.showPicture(namedPicture{p.lab, s.Name, title}, pic, o)
}

// underWay is of each step that somebody builds by hand, and that is not reached yet,
// what stands of it.
func underWay(k *kernel.Kernel, steps []lab.Step, reached func(stepID string) bool) (parts []lab.Step) {
	for _, step := range steps {
		if reached(step.ID) {
			continue
		}
		part := lab.Step{ID: step.ID}
		for _, o := range step.All() {
			if o.Verify(k) == nil {
				part.Ops = append(part.Ops, o)
			}
		}
		parts = append(parts, part)
	}
	return parts
}

// diagramScenario draws what a run would build.
func (a *app) diagramScenario(s scenarios.Scenario, values scenarios.Values, o diagramOptions) error {
	if err := s.Check(values); err != nil {
		return err
	}
	if ids := everyStepID(s); o.until != "" && !slices.Contains(ids, o.until) {
		return a.unknown("unknown.step", o.until, ids, "netlab run "+s.Name+" --dry-run")
	}
	_, inside, err := machine.Here()
	if err != nil {
		return err
	}
	allowed, _ := machine.CanUseHost()
	k := kernel.Open()
	defer k.Close()
	setting, err := a.sketch(k, s, s.Name, values, !inside && (o.sandbox || !allowed || s.Sandboxed))
	if err != nil {
		return err
	}
	steps := s.Steps(setting)
	shown := upTo(steps, atOrBefore(s, steps, o.until))
	title := a.fill("picture.plan", "scenario", s.Name, "steps", strconv.Itoa(len(shown)), "total", strconv.Itoa(len(steps)))
	return a.showPicture(namedPicture{s.Name, s.Name, title}, plannedPicture(setting.Facts, shown, o), o)
}

// upTo is the steps up to and with that one, all of them if it is empty.
func upTo(steps []lab.Step, until string) []lab.Step {
	for i, s := range steps {
		if s.ID == until {
			return steps[:i+1]
		}
	}
	return steps
}

// plannedPicture is what the ops say. What the last step brings is marked as new
// where a step was asked for.
func plannedPicture(f lab.Facts, steps []lab.Step, o diagramOptions) lab.Picture {
	if o.until == "" {
		return lab.PictureAt(f, steps, "")
	}
	return lab.PictureAfter(f, steps, len(steps)-1)
}
