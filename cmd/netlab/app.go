package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/lab/op"
	"netlab/scenarios"
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
	ascii   bool

	lang    string // what it speaks, such as "en"
	catalog catalog
	// openings are the titles and introductions that were read, by scenario.
	openings map[string]scenarios.Words
}

// labsDir is where the journals of the labs on this machine stand.
const labsDir = machine.LabsDir

func (a *app) main() int {
	if err := a.speak(wantedLanguage(a.args, os.Getenv)); err != nil {
		fmt.Fprintln(a.stderr, "netlab:", err)
		return exitFailed
	}
	// Whoever may run it would be root, or another user: by exec, by --pcap.
	if os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() {
		err := &cannotError{Text: a.say("set-user-id"), Next: "sudo chmod ug-s netlab"}
		a.complain(err)
		return exitCode(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(),
		os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, // a closed terminal too,
		syscall.SIGPIPE) // and a reader who has gone: --teardown still cleans up
	defer stop()
	err := a.root().ExecuteContext(ctx)
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
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.checkFlags(cmd) },
		SilenceErrors:     true,
		SilenceUsage:      true,
	}
	root.SetArgs(a.args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	flags := root.PersistentFlags()
	flags.StringVarP(&a.output, "output", "o", "text", a.say("flag.output"))
	flags.BoolVarP(&a.quiet, "quiet", "q", false, a.say("flag.quiet"))
	flags.BoolVarP(&a.verbose, "verbose", "v", false, a.say("flag.verbose"))
	flags.BoolVar(&a.noColor, "no-color", false, a.say("flag.no-color"))
	flags.BoolVar(&a.ascii, "ascii", false, a.say("flag.ascii"))
	flags.Var(langValue{a}, "lang", a.say("flag.lang"))
	flags.Lookup("lang").DefValue = "" // the words for it say more
	flags.BoolP("help", "h", false, a.say("flag.help"))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return a.badFlag(cmd, err)
	})
	root.AddCommand(
		a.runCommand(), a.listCommand(), a.statusCommand(), a.checkCommand(), a.scriptCommand(),
		a.teardownCommand(), a.shellCommand(), a.execCommand(), a.diagramCommand(), a.traceCommand(), a.compareCommand(),
		a.whatIfCommand(), a.versionCommand(), a.holdCommand(), a.doctorCommand(), a.tryCommand(), a.challengeCommand(), a.practiceCommand(), a.progressCommand(),
	)
	a.setHelp(root)
	a.setCompletion(root)
	return root
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
