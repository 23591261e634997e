package op

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel/kerneltest"
)

// A deletion of a namespace that was killed between its two halves is finished by
// the next teardown.
func TestTeardownFinishesHalfADeletion(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, "")
	dir := journal.At(t.TempDir())
	j, err := dir.Create(journal.Header{Lab: "x", Scenario: "x", Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	runner := &lab.Runner{Kernel: b.k, Codec: Codec{}, Dir: dir, Machine: "host", Now: time.Now, Emit: func(lab.Event) {}}
	plan := lab.Plan{Lab: "x", Steps: []lab.Step{{ID: "s", Ops: []lab.Op{NetnsAdd{Name: "pod"}}}}}
	if err := runner.Run(t.Context(), plan, j, lab.Options{}); err != nil {
		t.Fatal(err)
	}
	b.shell("umount -l /run/netns/pod") // and not yet: rm /run/netns/pod
	if err := runner.Teardown(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if there, err := b.k.NetnsExists("pod"); err != nil || there {
		t.Errorf("the name is still there: %v", err)
	}
}

// An undo of forwarding that was killed after its first write is completed; without
// what was written down for that, the rest would pass for somebody else's doing.
func TestForwardingIsPutBackInTwoGoes(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, pair)
	b.set(forwarding{ipForward: "0", redirects: "0", ofVeth: "1"})
	before := b.forwarding()
	o := SysctlSet{Key: ipForward, Value: "1"}
	undo := b.inverse(o)
	b.apply(o)
	rest, ok, err := undo[0].(SysctlRestore).Halfway(b.k)
	if err != nil || !ok {
		t.Fatalf("nothing completes it: %v", err)
	}
	b.shell("sysctl -qw net.ipv4.ip_forward=0") // the first write, and a kill
	b.apply(undo...)
	b.apply(rest)
	for range 2 {
		if diff := cmp.Diff(before, b.forwarding()); diff != "" {
			t.Errorf("after both goes (-want +got):\n%s", diff)
		}
		b.apply(rest)
	}
	if _, ok, err := undo[0].(SysctlRestore).Halfway(b.k); ok || err != nil {
		t.Errorf("there is no first write to come: %v, %v", ok, err)
	}
}
