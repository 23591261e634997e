package op

import (
	"testing"
	"time"

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
	b.shell("umount /run/netns/pod") // and not yet: rm /run/netns/pod
	if err := runner.Teardown(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if there, err := b.k.NetnsExists("pod"); err != nil || there {
		t.Errorf("the name is still there: %v", err)
	}
}

// When forwarding is off again, the setting that the kernel turns with it still is
// as somebody's writing left it: by an undo that was stopped, or by others.
func TestForwardingTakesBackWhatTurnedWithIt(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	const off = "sysctl -qw net.ipv4.ip_forward=0; "
	const start = off + "sysctl -qw net.ipv4.conf.all.accept_redirects=0"
	b := newBench(t, start)
	o := SysctlSet{Key: "net/ipv4/ip_forward", Value: "1"}
	redirects := func(want, when string) {
		t.Helper()
		if err := (SysctlSet{Key: allRedirects, Value: want}).Verify(b.k); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	older := b.inverse(o)
	b.apply(o)
	b.shell(off)
	redirects("1", "turned off by others")
	b.apply(older...)
	redirects("0", "after the undo")
	b.apply(older...)
	redirects("0", "after the undo, twice")

	b.shell(start)
	older = b.inverse(o)
	b.apply(o)
	b.shell(off)
	newer := b.inverse(o) // of another lab, which one of the two then undoes for both
	b.apply(o)
	b.apply(older...)
	b.apply(newer...)
	redirects("0", "the older undo first")

	b.shell(start)
	b.apply(o)
	b.apply(newer...)
	b.apply(older...)
	redirects("0", "the newer undo first")

	b.shell(start)
	b.apply(o)
	b.apply(older...)
	b.shell("sysctl -qw net.ipv4.conf.all.accept_redirects=1")
	b.apply(newer...)
	redirects("1", "set by others after all")
}
