package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/lab/trace"
)

// traceOptions are the flags of `trace`.
type traceOptions struct {
	arp      bool
	tcp, udp uint16
	dev      string
	pcap     string
	timeout  time.Duration
}

// tracePatience is how long a trace waits when it is not told otherwise: a little
// longer than the kernel asks ARP in vain, three times a second apart (facts.md,
// section 4).
const tracePatience = 3500 * time.Millisecond

func (a *app) traceCommand() *cobra.Command {
	var o traceOptions
	cmd := &cobra.Command{
		Use:     "trace [LAB] FROM TO",
		Short:   a.say("short.trace"),
		Long:    a.say("long.trace"),
		Example: a.say("example.trace"),
		Args:    a.noMoreThan(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return &usageError{Text: a.say("trace.usage"), Next: "netlab trace --help"}
			}
			if err := a.checkTrace(cmd, o); err != nil {
				return err
			}
			from, to := args[len(args)-2], args[len(args)-1]
			p, err := a.traceIn(args[:len(args)-2], from)
			if err != nil {
				return err
			}
			if p.sandbox != nil {
				if err := a.reachedInside(o.pcap); err != nil {
					return errors.Join(err, p.sandbox.Close())
				}
				return a.enterFor(cmd.Context(), p, a.args...)
			}
			return a.trace(cmd.Context(), from, to, o)
		},
		ValidArgsFunction: completeTrace,
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.arp, "arp", false, a.say("flag.arp"))
	flags.Uint16Var(&o.tcp, "tcp", 0, a.say("flag.tcp"))
	flags.Uint16Var(&o.udp, "udp", 0, a.say("flag.udp"))
	for _, name := range []string{"tcp", "udp"} {
		flags.Lookup(name).DefValue = "" // none, rather than port 0
	}
	flags.StringVar(&o.dev, "dev", "", a.say("flag.trace-dev"))
	flags.StringVar(&o.pcap, "pcap", "", a.say("flag.pcap"))
	flags.DurationVar(&o.timeout, "timeout", tracePatience, a.say("flag.timeout"))
	return cmd
}

// checkTrace refuses flags that don't go together, before anything is sent.
func (a *app) checkTrace(cmd *cobra.Command, o traceOptions) error {
	next := cmd.CommandPath() + " --help"
	var given []string
	for _, name := range []string{"arp", "tcp", "udp"} {
		if cmd.Flags().Changed(name) {
			given = append(given, name)
		}
	}
	switch {
	case len(given) > 1:
		return &usageError{Text: a.fill("trace.one-probe", "one", given[0], "other", given[1]), Next: next}
	case slices.Contains(given, "tcp") && o.tcp == 0, slices.Contains(given, "udp") && o.udp == 0:
		return &usageError{Text: a.fill("trace.bad-port", "flag", given[0]), Next: next}
	case o.dev != "" && !o.arp:
		return &usageError{Text: a.say("trace.dev-alone"), Next: next}
	case o.timeout <= 0:
		return &usageError{Text: a.say("trace.bad-timeout"), Next: next}
	}
	return a.pcapOnStdout(o.pcap, next)
}

// probe is what the flags ask to send, and to which port.
func (o traceOptions) probe() (string, uint16) {
	switch {
	case o.arp:
		return lab.ProbeARP, 0
	case o.tcp != 0:
		return lab.ProbeTCP, o.tcp
	case o.udp != 0:
		return lab.ProbeUDP, o.udp
	}
	return lab.ProbeEcho, 0
}

// trace follows a packet on the machine that this process sees.
func (a *app) trace(ctx context.Context, from, to string, o traceOptions) (err error) {
	if err := a.mayTrace(); err != nil {
		return err
	}
	k := kernel.Open()
	defer func() { err = errors.Join(err, k.Close()) }()
	n, err := a.node(k, from)
	if err != nil {
		return err
	}
	addr, err := a.target(k, n, to)
	if err != nil {
		return err
	}
	if o.arp {
		if err := a.canAsk(n, addr, o.dev); err != nil {
			return err
		}
	}
	file, err := a.openPcap(o.pcap)
	if err != nil {
		return err
	}
	r := trace.Request{From: n.Name, To: addr, Dev: o.dev, Patience: o.timeout}
	r.Probe, r.Port = o.probe()
	result, err := trace.Run(ctx, k, r)
	if ctx.Err() != nil {
		err = lab.ErrInterrupted
	}
	if err = file.keep(result, err); err != nil {
		return shown(err)
	}
	if o.pcap == toStdout { // the words go where they are in nobody's way
		a.stdout = a.stderr
	}
	return a.showTrace(result)
}

// mayTrace tells whether this process has what following a packet takes. Unlike a
// lab it writes no sysctl.
func (a *app) mayTrace() error {
	_, missing := machine.CanUseHost()
	missing = slices.DeleteFunc(missing, func(what string) bool { return what == machine.MissingSysctl || what == machine.ReadOnlySysctl })
	if len(missing) == 0 {
		return nil
	}
	return &cannotError{
		Text: a.fill("trace.needs-root", "missing", a.rights(missing)), Next: "sudo netlab " + lab.Command(a.args).String(),
	}
}

// jsonTrace is a journey as one line of JSON.
type jsonTrace struct {
	Version int    `json:"v"`
	Type    string `json:"type"` // "trace"
	lab.Journey
	// Cut: there were more interfaces than were watched.
	Cut bool `json:"cut,omitempty"`
}

// showTrace shows the journey. The exit status says whether an answer came.
func (a *app) showTrace(r trace.Result) error {
	if a.output == "json" {
		a.printJSON(jsonTrace{jsonVersion, "trace", r.Journey, r.Cut})
	} else {
		marker, _, err := machine.Here()
		if err != nil {
			return err
		}
		v := &journeyView{app: a, paper: a.paper(), room: a.pictureWidth(), lab: marker.Name}
		if a.quiet {
			v.ending(r.Journey)
		} else {
			v.showJourney(r.Journey, true)
		}
		if r.Cut && !a.quiet {
			v.prose("", a.say("trace.cut"), v.dim)
		}
	}
	if r.Journey.End.Outcome != lab.Answered {
		return exitStatus(exitFailed)
	}
	return nil
}
