// netlab-bench measures how fast netlab builds pods, next to a minimal program, to
// what others do the same with, and to the goals that it has. All run in turns,
// each in a pretend host of its own, and ratios of medians are what counts. It needs no
// root, and touches nothing of the machine.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"netlab/cmd/netlab-bench/internal/contest"
	"netlab/cmd/netlab-bench/internal/result"
	"netlab/cmd/netlab-bench/internal/room"
	"netlab/cmd/netlab-bench/internal/show"
)

func main() {
	if room.Inside() {
		return
	}
	o, err := options(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(o)
	}
	var said *exec.ExitError // of this program inside, which has said why
	if err != nil && !errors.As(err, &said) {
		fmt.Fprintln(os.Stderr, "netlab-bench:", err)
	}
	if err != nil {
		os.Exit(1)
	}
}

// choice is what was chosen on the command line.
type choice struct {
	plan
	quick   bool
	strict  bool
	from    string // a file of results to show, instead of measuring
	results string // where to keep them
	docs    string // the directory of the documents that show them
}

func options(args []string) (choice, error) {
	var o choice
	var sizes, contestants string
	f := flag.NewFlagSet("netlab-bench", flag.ContinueOnError)
	f.StringVar(&o.netlab, "netlab", "bin/netlab", "the `program` to measure")
	f.StringVar(&o.minimal, "minimal", "bin/netlab-minimal", "the minimal `program`, cmd/netlab-bench/minimal")
	f.StringVar(&contestants, "contestants", strings.Join(contest.Names(), ","), "who builds: a `list`")
	f.StringVar(&sizes, "sizes", "10,100,250,500,1000,2000,4000", "how many pods: a `list`")
	f.IntVar(&o.rounds, "rounds", 5, "how often each builds; less often what takes long")
	f.Float64Var(&o.enough, "enough", 25, "no more rounds of what has taken as many `seconds`")
	f.IntVar(&o.turns, "turns", 21, "how often run proxyarp and its script take turns; 0: not at all")
	f.BoolVar(&o.quick, "quick", false, "few pods, one round: whether all of it works, not how fast")
	f.BoolVar(&o.strict, "strict", false, "exit with 1 when a goal is missed")
	f.StringVar(&o.from, "from", "", "measure nothing, show this `file` of results")
	f.StringVar(&o.results, "results", "", "keep the results in this `file`")
	f.StringVar(&o.docs, "docs", "", "write plot and tables in this `directory` anew: performance.md and performance/")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected: %s", f.Arg(0))
	}
	if o.quick {
		sizes, o.rounds, o.turns = "3", 1, min(o.turns, 1) // a third pod, for one to break
	}
	for _, s := range strings.Split(sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 2 {
			return o, fmt.Errorf("-sizes: %q is no number of pods", s)
		}
		o.sizes = append(o.sizes, n)
	}
	o.contestants = strings.Split(contestants, ",")
	return o, nil
}

func run(o choice) error {
	var r *result.Results
	if o.from != "" {
		var err error
		if r, err = result.Read(o.from); err != nil {
			return err
		}
	} else {
		inside, err := room.Enter()
		if !inside || err != nil {
			return err
		}
		for _, program := range []*string{&o.netlab, &o.minimal} {
			if *program, err = filepath.Abs(*program); err != nil {
				return err
			}
		}
		r = o.measure(os.Stderr)
	}
	if o.results != "" {
		if err := r.Write(o.results); err != nil {
			return err
		}
	}
	if o.docs != "" {
		if err := show.Document(o.docs, r); err != nil {
			return err
		}
	}
	if err := show.Terminal(os.Stdout, r); err != nil {
		return err
	}
	return verdict(r, o.strict)
}

// errGoals: not all goals are met, and somebody wants to know.
var errGoals = errors.New("not all goals are met")

// errFailed: a lab was not built, or did not work, in some round.
var errFailed = errors.New("not every lab was built and works")

func verdict(r *result.Results, strict bool) error {
	if len(r.Failed) > 0 {
		return fmt.Errorf("%w: %d rounds of %d failed", errFailed, len(r.Failed), len(r.Failed)+len(r.Rounds))
	}
	for _, g := range r.Goals() {
		if strict && !g.Met() {
			return errGoals
		}
	}
	return nil
}
