// minimal makes the kernel state of `netlab run calico --pods N` or `netlab run
// bridge --pods N`, and takes it away, as fast as we know how: no journal, nothing
// read back, no check, no output, no question whose a name is. It is what netlab's
// speed is measured against; a test holds their states to each other.
//
//	minimal calico 1000
//	minimal -undo calico 1000
//	minimal -calls calico 1000    also print what its kernel calls took, as JSON
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"strconv"
)

func main() {
	undo := flag.Bool("undo", false, "take away what was made")
	measured := flag.Bool("calls", false, "measure each kernel call, and print them as JSON")
	flag.Parse()
	if err := run(flag.Args(), *undo, *measured); err != nil {
		fmt.Fprintln(os.Stderr, "minimal:", err)
		os.Exit(1)
	}
}

func run(args []string, undo, measured bool) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: minimal [-undo] calico|bridge PODS")
	}
	count, err := strconv.Atoi(args[1])
	if err != nil || count < 2 {
		return fmt.Errorf("%q is no number of pods", args[1])
	}
	var l lab
	switch args[0] {
	case "calico":
		l = newCalico(count)
	case "bridge":
		l = newBridge(count)
	default:
		return fmt.Errorf("no lab %q", args[0])
	}
	if undo {
		return takeAway(l)
	}
	if !measured {
		return build(l, nil, nil)
	}
	// One for each stage: they run side by side.
	first, second := &calls{map[string]*call{}}, &calls{map[string]*call{}}
	if err := build(l, first, second); err != nil {
		return err
	}
	maps.Copy(first.took, second.took)
	return first.print(os.Stdout)
}
