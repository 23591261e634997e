package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/kernel/kerneltest/fault"
	"netlab/lab/machine"
)

// binaryDir is the environment variable that says where the tests' netlab is.
const binaryDir = "NETLAB_TEST_BIN"

// TestMain builds the real program once; the tests run it, and so do the
// children that kerneltest.Isolate makes of them.
func TestMain(m *testing.M) {
	fault.Main()
	// Whoever runs the tests may speak another language, on another terminal.
	os.Setenv("LC_ALL", "C.UTF-8")
	os.Unsetenv(languageVar)
	os.Unsetenv("COLUMNS")
	if len(os.Args) > 1 && os.Args[1] == machine.TryVerb {
		if err := machine.RunTrial(os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getenv(killAt) != "" {
		os.Exit(runKilled())
	}
	if os.Getenv(binaryDir) != "" {
		os.Exit(m.Run())
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "netlab-bin-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "netlab"), ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		os.Setenv(binaryDir, dir)
		return m.Run()
	}())
}

// pretendHost makes the isolated test's namespaces a host with an uplink and an
// internet, and puts netlab on the PATH.
func pretendHost(t *testing.T) {
	t.Helper()
	t.Setenv("PATH", os.Getenv(binaryDir)+":"+os.Getenv("PATH"))
	// Whether the tests run on a cloud's machine must make no difference.
	if err := unix.Mount("none", "/sys/class/dmi/id", "tmpfs", 0, ""); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("hide the machine's vendor: %v", err)
	}
	// A sandbox would outlive a test that failed.
	t.Cleanup(func() { _ = exec.Command("netlab", "teardown", "--all", "-q").Run() })
	k := kernel.Open()
	t.Cleanup(func() { _ = k.Close() })
	if err := machine.BuildWorld(k); err != nil {
		t.Fatalf("pretend host: %v", err)
	}
}

// sh runs a script with bash -e, and fails the test when it fails.
func sh(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.Command("bash", "-ec", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// status runs a script and returns its exit status and output.
func status(t *testing.T, script string) (int, string) {
	t.Helper()
	cmd := exec.Command("bash", "-c", script)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("%s: %v", script, err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// settle warms up what a lab's packets leave in the host's caches, so that a
// snapshot before holds it too.
func settle(t *testing.T) string {
	t.Helper()
	sh(t, "ping -c1 -W2 192.0.2.1 >/dev/null")
	return kerneltest.Snapshot(t)
}

// waitFor polls until what the kernel does in its own time is done. A deadline
// far beyond what it takes makes a hang a failure.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
