package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
	"netlab/lab/kernel/kerneltest/fault"
)

// stateDisk gives the state directory a small file system of its own.
const stateDisk = "mkdir -p /run/netlab/labs && mount -t tmpfs -o mode=700,size=%d none /run/netlab/labs"

// A lab whose journal can't grow any more stops with the reason; what it has
// changed can be undone on the full disk, too.
func TestAFullStateDirectoryStrandsNobody(t *testing.T) {
	for _, s := range labCases() {
		if s.name != s.scenario.Name+" as it comes" || s.scenario.Name != "proxyarp" && !soaking() {
			continue
		}
		t.Run(s.scenario.Name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			pretendHostFor(t, s.scenario)
			before := settle(t)
			sh(t, fmt.Sprintf(stateDisk, 4<<20))
			args := []string{"run", s.scenario.Name, "--no-before", "-q"}
			for fullAt := 4; ; fullAt += 30 {
				written, full := 0, false
				said, err := fault.Run(func(c fault.Call) *fault.Fault {
					if c.Kind == fault.State && strings.HasPrefix(c.Text, "write ") {
						if written++; written == fullAt {
							full = true
							status(t, "cat /dev/zero > /run/netlab/labs/filler")
						}
					}
					return nil
				}, "netlab", args...)
				out := strings.Join(strings.Fields(string(said)), " ")
				if err != nil && !strings.Contains(out, "no space left on device") {
					t.Errorf("full at the write %d: no reason is said:\n%s", fullAt, said)
				}
				if teardown, out := status(t, "netlab teardown -q"); teardown != exitDone {
					t.Errorf("full at the write %d:\n%s\nteardown: exit status %d\n%s", fullAt, said, teardown, out)
				}
				sh(t, "rm -f /run/netlab/labs/filler; netlab teardown -q")
				if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
					t.Fatalf("full at the write %d (-before +after):\n%s", fullAt, diff)
				}
				if !full {
					return
				}
			}
		})
	}
}

// Where nothing can be written down nothing is changed, and nothing undone.
func TestAReadOnlyStateDirectoryChangesNothing(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	before := settle(t)
	sh(t, fmt.Sprintf(stateDisk, 1<<20))
	sh(t, "netlab run proxyarp --until routes -q --no-before")
	up := glanced(t)
	sh(t, "mount -o remount,ro /run/netlab/labs")
	for _, command := range []string{"run proxyarp", "run bridge", "teardown proxyarp"} {
		code, out := status(t, "netlab "+command+" -q")
		if code == exitDone || !strings.Contains(strings.Join(strings.Fields(out), " "), "read-only") {
			t.Errorf("%s: exit status %d\n%s", command, code, out)
		}
		if diff := cmp.Diff(up, glanced(t)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", command, diff)
		}
	}
	sh(t, "mount -o remount,rw /run/netlab/labs; netlab teardown -q")
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Errorf("after teardown (-before +after):\n%s", diff)
	}
}

// Another program may hold iptables' lock for longer than netlab waits.
func TestAHeldIptablesLockStrandsNobody(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	sh(t, useLegacy)
	sh(t, "iptables -t nat -L -n >/dev/null") // registers the table, for good
	before := settle(t)
	held := func(command string) {
		t.Helper()
		holder := exec.Command("flock", "/run/xtables.lock", "cat")
		in, err := holder.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := holder.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the lock to be held", func() bool {
			code, _ := status(t, "flock -n /run/xtables.lock true")
			return code != 0
		})
		code, out := status(t, command)
		if code == exitDone || !strings.Contains(strings.Join(strings.Fields(out), " "), "xtables lock") {
			t.Errorf("%s: exit status %d, no reason is said:\n%s", command, code, out)
		}
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
		_ = holder.Wait()
	}
	if soaking() { // it takes as long as netlab waits
		sh(t, "netlab run proxyarp -q --no-before --until return-route")
		held("netlab run proxyarp -q --no-before")
	}
	sh(t, "netlab run proxyarp -q --no-before")
	held("netlab teardown -q")
	sh(t, "netlab teardown -q")
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Errorf("after teardown (-before +after):\n%s", diff)
	}
}
