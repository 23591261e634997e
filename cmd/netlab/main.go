//go:build !manual

// netlab is a lab bench for Linux networking in a terminal. See README.md.
package main

import (
	"fmt"
	"os"
	"time"

	"netlab/lab/machine"
)

func main() {
	if err := machine.Arrive(); err != nil {
		fmt.Fprintln(os.Stderr, "netlab:", err)
		os.Exit(exitFailed)
	}
	machine.Scrub()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, time.Now))
}
