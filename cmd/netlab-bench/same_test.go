package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/machine"
)

// What minimal makes is what netlab makes, and it leaves as little behind: else it
// would be no measure of netlab's speed.
func TestMinimalMakesTheStateThatNetlabMakes(t *testing.T) {
	for _, lab := range []string{"calico", "bridge"} {
		t.Run(lab, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			k := kernel.Open()
			defer k.Close()
			if err := machine.BuildWorld(k); err != nil {
				t.Fatal(err)
			}
			before, devices := state(t), links(t)

			start(t, "netlab", "run", lab, "--pods", "3", "-q")
			byNetlab := state(t)
			start(t, "netlab", "teardown", "-q")
			waitForLinks(t, devices)

			start(t, "minimal", lab, "3")
			// The kernel says up to a second late that a bridge is up (linkwatch, net/core).
			var diff string
			for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
				if diff = cmp.Diff(byNetlab, state(t)); diff == "" {
					break
				}
			}
			if diff != "" {
				t.Errorf("-netlab +minimal:\n%s", diff)
			}
			start(t, "minimal", "-undo", lab, "3")
			waitForLinks(t, devices)
			if diff := cmp.Diff(before, state(t)); diff != "" {
				t.Errorf("-before +after minimal -undo:\n%s", diff)
			}
		})
	}
}

// state is everything but what netlab's checks have left in the kernel's caches:
// neighbours.
func state(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("bash", "-c", "ip -4 neigh flush all; for n in $(ls /run/netns); do ip -n $n -4 neigh flush all; done").CombinedOutput()
	if err != nil {
		t.Fatalf("forget neighbours: %v\n%s", err, out)
	}
	return kerneltest.Masked(kerneltest.Snapshot(t))
}

func start(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(filepath.Join(os.Getenv(programsDir), program), args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
}

// links are the host's devices, by name.
func links(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("ip", "-br", "link").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// waitForLinks waits until the kernel has dropped what belonged to the namespaces.
func waitForLinks(t *testing.T, before string) {
	t.Helper()
	var found string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if found = links(t); found == before {
			return
		}
	}
	t.Fatalf("something is left:\n%s", cmp.Diff(before, found))
}
