// netlab is a lab bench for Linux networking in a terminal. See README.md.
package main

import (
	"io"
	"os"
	"time"

	"netlab/lab/journal"
	"netlab/lab/machine"
)

func main() {
	machine.Arrive()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, time.Now))
}

// run is netlab, less the process it runs in: the arguments after the program's
// name, the streams and the clock. It returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer, now func() time.Time) int {
	a := &app{args: args, stdin: stdin, stdout: stdout, stderr: stderr, now: now, labs: journal.At(labsDir)}
	return a.main()
}
