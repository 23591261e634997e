package main

import (
	"math/rand/v2"

	"github.com/spf13/cobra"

	"netlab/lab/progress"
	"netlab/scenarios/challenges"
)

// challengeOptions are the flags of `challenge [NAME]`.
type challengeOptions struct {
	lab     string
	random  bool
	seed    uint
	noShell bool
	host    bool
}

func (a *app) challengeCommand() *cobra.Command {
	var o challengeOptions
	cmd := &cobra.Command{
		Use:     "challenge [NAME]",
		Short:   a.say("short.challenge"),
		Long:    a.say("long.challenge"),
		Example: a.say("example.challenge"),
		Args:    a.noMoreThan(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("seed") && !o.random {
				return &usageError{Text: a.say("challenge.seed-alone"), Next: "netlab challenge --random --seed 1"}
			}
			if len(args) == 0 && !o.random {
				return a.listChallenges()
			}
			return a.challenge(cmd, args, o)
		},
		ValidArgsFunction: a.completeChallenges,
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.random, "random", false, a.say("flag.random"))
	flags.UintVar(&o.seed, "seed", 0, a.say("flag.seed"))
	flags.StringVar(&o.lab, "name", "", a.say("flag.challenge-name"))
	flags.BoolVar(&o.host, "host", false, a.say("flag.host"))
	flags.BoolVar(&o.noShell, "no-shell", false, a.say("flag.no-shell"))
	for _, sub := range []struct {
		name string
		run  func(*cobra.Command, sitting) error
	}{
		{"hint", a.challengeHint}, {"check", a.challengeCheck}, {"solution", a.challengeSolution},
		{"explain", a.challengeExplain}, {"reset", a.challengeReset}, {"leave", a.challengeLeave},
	} {
		cmd.AddCommand(&cobra.Command{
			Use:               sub.name + " [LAB]",
			Short:             a.say("short.challenge." + sub.name),
			Long:              a.say("long.challenge." + sub.name),
			Args:              a.noMoreThan(1),
			ValidArgsFunction: completeChallengesUp,
			RunE: func(cmd *cobra.Command, args []string) error {
				return a.inChallenge(cmd, args, sub.name, sub.run)
			},
		})
	}
	return cmd
}

func (a *app) completeChallenges(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	all, err := challenges.All(a.lang)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []cobra.Completion
	for _, c := range all {
		names = append(names, cobra.CompletionWithDesc(c.Name, c.Words.Title))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// chooseChallenge is the one that was named, or one by chance: of those that are not
// solved yet, while there are any. A seed chooses of all of them, and always the same.
func (a *app) chooseChallenge(cmd *cobra.Command, args []string, o challengeOptions) (challenges.Challenge, error) {
	all, err := challenges.All(a.lang)
	if err != nil {
		return challenges.Challenge{}, err
	}
	if len(args) == 0 {
		if cmd.Flags().Changed("seed") {
			return all[rand.New(rand.NewPCG(uint64(o.seed), 0)).IntN(len(all))], nil
		}
		solved := a.known(progress.Challenge)
		var open []challenges.Challenge
		for _, c := range all {
			if solved[c.Name].Solved == nil {
				open = append(open, c)
			}
		}
		if len(open) == 0 {
			open = all
		}
		return open[rand.IntN(len(open))], nil
	}
	var names []string
	for _, c := range all {
		if c.Name == args[0] {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return challenges.Challenge{}, a.unknown("unknown.challenge", args[0], names, "netlab challenge")
}

// challenge begins one, or goes on with it.
func (a *app) challenge(cmd *cobra.Command, args []string, o challengeOptions) error {
	if o.random && len(args) > 0 {
		return &usageError{Text: a.say("challenge.random-or-name")}
	}
	c, err := a.chooseChallenge(cmd, args, o)
	if err != nil {
		return err
	}
	var inside bool
	if o.lab, inside, err = exerciseLab(o.lab, c.Name); err != nil {
		return err
	}
	sandboxed := startOf("challenge", c.Name, o.lab)
	if o.host {
		if c.Sandboxed {
			return &cannotError{Text: a.fill("challenge.not-on-host", "challenge", c.Name), Next: sandboxed.String()}
		}
		if err := a.onHost(inside, o.lab, sandboxed); err != nil {
			return err
		}
	}
	if inside { // a netlab outside has made the sandbox and sent us
		return a.beginChallenge(cmd.Context(), c, o.lab)
	}
	p, err := a.beginAt(cmd.Context(), o.lab, o.host, sandboxed, a.challengeArgs(c.Name, o.lab), func() error {
		return a.beginChallenge(cmd.Context(), c, o.lab)
	})
	if err != nil {
		return err
	}
	if o.noShell || a.output == "json" || !a.onTerminal() {
		return p.close()
	}
	return a.challengeShell(cmd.Context(), p, c)
}
