package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"netlab/lab/kernel/kerneltest"
)

var update = flag.Bool("update", false, "rewrite the golden parts of testdata and docs")

// TestScripts runs the scripts in testdata/script, each in a pretend host of its
// own, with the real netlab. Besides testscript's own commands there are:
//
//	exits N PROGRAM ARGS…   the program must end with that exit status
//	snapshot NAME           remember the host's state
//	same NAME               the host's state must be what was remembered
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			pretendHost(t)
			settle(t)
			snapshots := map[string]string{}
			testscript.Run(t, testscript.Params{
				Files: []string{file},
				Setup: func(env *testscript.Env) error {
					env.Setenv("PATH", os.Getenv("PATH"))
					env.Setenv("SHELL", "/bin/sh")
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"exits": exits,
					"snapshot": func(_ *testscript.TestScript, _ bool, args []string) {
						snapshots[args[0]] = kerneltest.Snapshot(t)
					},
					"same": func(ts *testscript.TestScript, _ bool, args []string) {
						if diff := cmp.Diff(snapshots[args[0]], kerneltest.Snapshot(t)); diff != "" {
							ts.Fatalf("the host is not as at %q (-then +now):\n%s", args[0], diff)
						}
					},
				},
				UpdateScripts: *update,
			})
		})
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N PROGRAM ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s: exit status %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}
