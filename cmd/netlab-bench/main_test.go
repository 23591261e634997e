package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// programsDir is the environment variable that says where the tests' programs are.
const programsDir = "NETLAB_TEST_BIN"

// TestMain builds the programs once, for the children that kerneltest.Isolate makes
// too.
func TestMain(m *testing.M) {
	if os.Getenv(programsDir) != "" {
		os.Exit(m.Run())
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "netlab-bench-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-trimpath", "-o", dir+"/", ".", "./minimal", "netlab/cmd/netlab")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		if err := os.Chmod(dir, 0o755); err != nil { // for an ordinary user's child
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		os.Setenv(programsDir, dir)
		return m.Run()
	}())
}
