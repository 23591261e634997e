//go:build !manual

// netlab is a lab bench for Linux networking in a terminal. See README.md.
package main

import (
	"os"
	"time"

	"netlab/lab/machine"
)

func main() {
	machine.Arrive()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, time.Now))
}
