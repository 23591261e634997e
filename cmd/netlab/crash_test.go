package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/journal"
	"netlab/lab/kernel/kerneltest"
)

// killAt is the environment variable that makes this test binary be netlab,
// killed at that boundary of its journal: right before or after a record is
// written. It counts from 1.
const killAt = "NETLAB_TEST_KILL_AT"

func runKilled() int {
	at, err := strconv.Atoi(os.Getenv(killAt))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir := journal.At(labsDir).Observed(func() {
		if at--; at == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way
		}
	})
	a := &app{args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: time.Now, labs: dir}
	return a.main()
}

// killed runs netlab until that boundary; it tells whether the end came first.
func killed(t *testing.T, at int, args ...string) (ended bool) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), killAt+"="+strconv.Itoa(at))
	out, err := cmd.CombinedOutput()
	if err == nil {
		return true
	}
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
		t.Fatalf("boundary %d: %v\n%s", at, err, out)
	}
	return false
}

// A run that is killed at any boundary of its journal can be torn down, and can
// go on: either way the host is as it was in the end.
func TestKilledAnywhereLeavesNoTrace(t *testing.T) {
	const shards = 4
	for _, nat := range []string{"iptables", "nftables"} {
		for shard := 1; shard <= shards; shard++ {
			t.Run(fmt.Sprintf("%s %d", nat, shard), func(t *testing.T) {
				if !kerneltest.Isolate(t) {
					return
				}
				pretendHost(t)
				before := settle(t)
				args := []string{"run", "proxyarp", "--no-before", "--quiet", "--nat", nat}
				kills := 0
				for at := shard; ; at += shards {
					ended := killed(t, at, args...)
					if !ended && at%3 == 0 {
						sh(t, "netlab "+strings.Join(args, " "))
					}
					if !ended && at%3 == 1 { // killed once more, while it cleans up
						killed(t, 1+at%7, "teardown")
					}
					sh(t, "netlab teardown")
					if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
						t.Fatalf("killed at boundary %d, then torn down (-before +after):\n%s", at, diff)
					}
					if ended {
						break
					}
					kills++
				}
				if kills < 10 {
					t.Errorf("only %d boundaries", kills)
				}
				t.Logf("%d kills", kills)
			})
		}
	}
}
