package main

import (
	"bufio"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
)

func TestInterruptStopsCleanlyAndSaysHowToGoOn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		args   string
		at     string // the line to interrupt at
		signal syscall.Signal
		down   bool // the lab is torn down by itself
	}{
		{name: "in a check", args: "run proxyarp", at: "[6/7]", signal: syscall.SIGINT},
		{name: "SIGTERM", args: "run proxyarp", at: "[2/7]", signal: syscall.SIGTERM},
		{name: "in a sandbox", args: "run proxyarp --sandbox", at: "[5/7]", signal: syscall.SIGINT},
		{name: "with --teardown", args: "run proxyarp --teardown", at: "[6/7]", signal: syscall.SIGINT, down: true},
		{name: "with --teardown in a sandbox", args: "run proxyarp --sandbox --teardown", at: "[6/7]", signal: syscall.SIGTERM, down: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			pretendHost(t)
			before := settle(t)
			cmd := exec.Command("netlab", strings.Fields(tt.args)...)
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			for lines := bufio.NewScanner(stdout); lines.Scan(); {
				said.WriteString(lines.Text() + "\n")
				if strings.HasPrefix(lines.Text(), tt.at) {
					if err := cmd.Process.Signal(tt.signal); err != nil {
						t.Fatal(err)
					}
				}
			}
			_ = cmd.Wait() // the exit code says it
			if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
				t.Errorf("exit status %d\n%s", code, said.String())
			}
			if !strings.Contains(said.String(), "stopped:") || !tt.down && !strings.Contains(said.String(), "go on:       netlab run proxyarp") {
				t.Errorf("it does not say how to go on:\n%s", said.String())
			}
			if tt.down {
				if out := sh(t, "netlab status"); !strings.Contains(out, "No lab is up.") {
					t.Errorf("status: %s", out)
				}
			} else {
				sh(t, "netlab run proxyarp")
				sh(t, "netlab teardown proxyarp")
			}
			if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
				t.Errorf("the host is not as it was (-before +after):\n%s", diff)
			}
		})
	}
}

func TestASecondInterruptIsAnswered(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	before := settle(t)
	cmd := exec.Command("netlab", strings.Fields("run calico --pods 60 --teardown")...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if strings.Contains(lines.Text(), "undoing it") {
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // what it says and leaves is what counts
	if !strings.Contains(stderr.String(), "still cleaning up") {
		t.Errorf("it says nothing to a signal while it cleans up:\n%s", stderr.String())
	}
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Errorf("the host is not as it was (-before +after):\n%s", diff)
	}
}
