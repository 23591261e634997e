package main

import (
	"fmt"
	"math/rand/v2"
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
	"netlab/scenarios"
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
// go on: either way the host is as it was in the end. The boundaries of proxyarp
// are gone through one by one, those of other scenarios by random samples: what
// an op of theirs leaves behind at each, lab/op's tests try.
func TestKilledAnywhereLeavesNoTrace(t *testing.T) {
	const shards = 4
	for _, nat := range []string{"iptables", "nftables"} {
		for shard := 1; shard <= shards; shard++ {
			t.Run(fmt.Sprintf("%s %d", nat, shard), func(t *testing.T) {
				if !kerneltest.Isolate(t) {
					return
				}
				pretendHost(t)
				if nat == "iptables" { // then the lab has rules in chains of others, too
					sh(t, dockerForward)
				}
				args := []string{"run", "proxyarp", "--no-before", "--quiet", "--nat", nat}
				if kills := killEvery(t, args, shard, shards); kills < 10 {
					t.Errorf("only %d boundaries", kills)
				}
			})
		}
	}
	for _, s := range scenarios.All() {
		if s.Name == "proxyarp" {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			pretendHostFor(t, s)
			args := []string{"run", s.Name, "--no-before", "--quiet"}
			if s.Name == "calico" || s.Name == "bridge" { // many pods are done together
				killEvery(t, append(args, "--pods", "200"), 1+rand.IntN(sampleEvery), sampleEvery)
			}
			if kills := killEvery(t, args, 1+rand.IntN(sampleEvery), sampleEvery); kills == 0 {
				t.Error("not killed once")
			}
		})
	}
}

// sampleEvery is odd and no multiple of three, so that samples meet boundaries
// before and after a record, and all that killEvery does after a kill.
const sampleEvery = 23

// killEvery kills netlab at every so many boundaries, from the first on, and
// cleans up after each; it returns how often.
func killEvery(t *testing.T, args []string, first, every int) (kills int) {
	t.Helper()
	before := settle(t)
	for at := first; ; at += every {
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
			t.Logf("%d kills, the first at boundary %d", kills, first)
			return kills
		}
		kills++
	}
}
