//go:build !manual

// netlab is a lab bench for Linux networking in a terminal. See README.md.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"netlab/lab/machine"
)

// memory is how many bytes netlab tries to get by with.
const memory = 48 << 20

func main() {
	// A lab may have thousands of pods, and what is read of the kernel is soon forgotten.
	debug.SetMemoryLimit(memory)
	if err := machine.Arrive(); err != nil {
		fmt.Fprintln(os.Stderr, "netlab:", err)
		os.Exit(exitFailed)
	}
	machine.Scrub()
	// The main goroutine is locked to the main thread, by lab/kernel: to wait for
	// anything it would change threads, there and back.
	code := make(chan int)
	go func() { code <- run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, time.Now) }()
	os.Exit(<-code)
}
