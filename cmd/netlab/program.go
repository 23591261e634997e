package main

import (
	"io"
	"time"

	"netlab/lab/journal"
)

// run is netlab, less the process it runs in: the arguments after the program's
// name, the streams and the clock. It returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer, now func() time.Time) int {
	a := &app{args: args, stdin: stdin, stdout: stdout, stderr: stderr, now: now, labs: journal.At(labsDir)}
	return a.main()
}
