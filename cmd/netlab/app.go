package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/op"
)

// app is one invocation of netlab.
type app struct {
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
	labs           journal.Dir // where the journals of the labs here stand

	// The flags that every command has.
	output  string
	quiet   bool
	verbose bool
	noColor bool

	catalog catalog
}

// labsDir is where the journals of the labs on this machine stand. A sandbox
// has a /run, and so a directory, of its own.
const labsDir = "/run/netlab/labs"

func (a *app) main() int {
	var err error
	if a.catalog, err = loadCatalog("en"); err != nil {
		fmt.Fprintln(a.stderr, "netlab:", err)
		return exitFailed
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := a.root()
	root.SetArgs(a.args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err = root.ExecuteContext(ctx)
	a.complain(err)
	return exitCode(err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "netlab",
		Short: a.say("short.netlab"),
		Long:  a.say("long.netlab"),
		Args:  a.noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.checkFlags() },
		SilenceErrors:     true,
		SilenceUsage:      true,
	}
	flags := root.PersistentFlags()
	flags.StringVarP(&a.output, "output", "o", "text", a.say("flag.output"))
	flags.BoolVarP(&a.quiet, "quiet", "q", false, a.say("flag.quiet"))
	flags.BoolVarP(&a.verbose, "verbose", "v", false, a.say("flag.verbose"))
	flags.BoolVar(&a.noColor, "no-color", false, a.say("flag.no-color"))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return a.badFlag(cmd, err)
	})
	root.AddCommand(
		a.runCommand(), a.listCommand(), a.statusCommand(), a.checkCommand(), a.scriptCommand(),
		a.teardownCommand(), a.shellCommand(), a.execCommand(), a.versionCommand(), a.holdCommand(),
	)
	return root
}

// badFlag is the error for a flag that does not parse; for an unknown one the
// nearest is suggested.
func (a *app) badFlag(cmd *cobra.Command, err error) error {
	text := err.Error()
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		if near := nearest(unknown.GetSpecifiedName(), known); near != "" && len(unknown.GetSpecifiedName()) > 1 {
			text += a.fill("unknown.nearest", "name", "--"+near)
		}
	}
	return &usageError{Text: text, Next: cmd.CommandPath() + " --help"}
}

func (a *app) checkFlags() error {
	switch a.output {
	case "text", "json":
		return nil
	}
	return &usageError{Text: fmt.Sprintf("--output %q: one of text, json", a.output)}
}

// noSuchCommand takes what is not the name of a command.
func (a *app) noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return a.unknown("unknown.command", args[0], names, cmd.CommandPath()+" --help")
}

// noMoreThan is cobra's check of the number of arguments, as a usageError.
func noMoreThan(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return &usageError{
				Text: fmt.Sprintf("%s: unexpected argument %q", cmd.CommandPath(), args[n]),
				Next: cmd.CommandPath() + " --help",
			}
		}
		return nil
	}
}

// unknown is the error for a name that is none of those known; the nearest is
// suggested.
func (a *app) unknown(key, name string, known []string, next string) error {
	text := a.fill(key, "name", name, "known", strings.Join(known, ", "))
	if near := nearest(name, known); near != "" {
		text += a.fill("unknown.nearest", "name", near)
	}
	return &usageError{Text: text, Next: next}
}

// complain prints an error that no view has shown yet, on one line, and the
// command that helps on a second.
func (a *app) complain(err error) {
	var status exitStatus
	if err == nil || errors.As(err, &status) || errors.Is(err, errShown) {
		return
	}
	next := ""
	var usage *usageError
	var cannot *cannotError
	switch {
	case errors.As(err, &usage):
		next = usage.Next
	case errors.As(err, &cannot):
		next = cannot.Next
	}
	fmt.Fprintln(a.stderr, "netlab:", err)
	if next != "" {
		fmt.Fprintln(a.stderr, a.fill("try", "command", next))
	}
}

// errShown marks an error that the view has already told of.
var errShown = errors.New("shown")

// shown marks err as told, if it is one that comes with events.
func shown(err error) error {
	if errors.Is(err, lab.ErrFailed) || errors.Is(err, lab.ErrInterrupted) {
		return fmt.Errorf("%w: %w", errShown, err)
	}
	return err
}

// runner is the engine on the machine that this process sees.
func (a *app) runner(k *kernel.Kernel, machineKind string, view func(lab.Event)) *lab.Runner {
	return &lab.Runner{
		Kernel: k, Codec: op.Codec{}, Dir: a.labs, Now: a.now, Emit: view, Machine: machineKind,
	}
}
