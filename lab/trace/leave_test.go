package trace

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

// withoutIPv6 keeps addresses from coming to be by themselves.
const withoutIPv6 = `
	sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	ip netns exec pod1 sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	ip netns exec pod2 sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	ip netns exec out sysctl -qw net.ipv6.conf.all.disable_ipv6=1
`

// Sockets are closed in the background: they are given time.
func TestATraceLeavesNothingBehind(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	sh(t, routed+known+withoutIPv6)
	requests := []Request{
		{From: "pod1", To: addr("10.244.1.2")},
		{From: "pod1", To: addr("10.244.1.2"), Probe: lab.ProbeTCP, Port: 81},
		{From: "pod1", To: addr("10.244.1.2"), Probe: lab.ProbeUDP, Port: 81},
		{From: "pod1", To: addr("203.0.113.80"), Patience: brief},
		{From: "pod2", To: addr("169.254.1.1"), Probe: lab.ProbeARP},
		{From: "pod2", To: addr("127.0.0.1")},
	}
	all := func() {
		k := kernel.Open()
		defer func() {
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		}()
		var wg sync.WaitGroup
		for _, r := range requests {
			wg.Go(func() {
				if _, err := Run(t.Context(), k, r); err != nil {
					t.Errorf("%+v: %v", r, err)
				}
			})
		}
		wg.Wait()
	}
	all() // opens what stays open: the Go runtime's own
	awaitFiles(t, 0)
	files := openFiles(t)
	before := kerneltest.Snapshot(t)
	for range 5 {
		all()
	}
	awaitFiles(t, files)
	if after := openFiles(t); after > files {
		t.Errorf("%d open files before, %d after", files, after)
	}
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Errorf("a trace changed something (-before +after):\n%s", diff)
	}
	host, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		var wg sync.WaitGroup
		wg.Go(func() {
			if ns, err := os.Readlink("/proc/thread-self/ns/net"); err != nil || ns != host {
				t.Errorf("a goroutine runs in %s (%v), not in the host's %s", ns, err, host)
			}
		})
		wg.Wait()
	}
}

// awaitFiles waits until no more than so many files are open, or for a moment
// in which none was closed.
func awaitFiles(t *testing.T, want int) {
	t.Helper()
	quiet, last := 0, -1
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline) && quiet < 20; time.Sleep(10 * time.Millisecond) {
		now := openFiles(t)
		if now <= want {
			return
		}
		if now == last {
			quiet++
		} else {
			quiet, last = 0, now
		}
	}
}

func TestATraceEndsWithItsContext(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, routed)
	for _, r := range []Request{
		{From: "pod1", To: addr("203.0.113.80"), Patience: time.Minute},
		{From: "pod1", To: addr("169.254.1.77"), Probe: lab.ProbeARP, Patience: time.Minute},
	} {
		if r.Probe == lab.ProbeARP {
			sh(t, "ip route del default")
		}
		ctx, cancel := context.WithCancel(t.Context())
		stop := time.AfterFunc(50*time.Millisecond, cancel)
		if _, err := Run(ctx, k, r); !errors.Is(err, context.Canceled) {
			t.Errorf("%+v: %v", r, err)
		}
		stop.Stop()
		cancel()
	}
}

func TestWhatCantBeFollowedIsRefused(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, pair)
	if _, err := Run(t.Context(), k, Request{From: "a", To: addr("fd00::1")}); !errors.Is(err, ErrIPv6) {
		t.Errorf("IPv6: %v", err)
	}
	for _, r := range []Request{
		{From: "a"},
		{From: "a", To: addr("224.0.0.1")},
		{From: "a", To: addr("10.0.0.2"), Probe: lab.ProbeTCP},
		{From: "a", To: addr("10.0.0.2"), Probe: "smoke"},
		{From: "none", To: addr("10.0.0.2")},
		{From: "pid:999999999", To: addr("10.0.0.2")},
		{From: "a", To: addr("10.0.0.2"), Also: []string{"none"}},
		{From: "a", To: addr("10.0.0.1"), Probe: lab.ProbeARP},
		{From: "a", To: addr("198.51.100.1"), Probe: lab.ProbeARP},
		{From: "a", To: addr("10.0.0.2"), Probe: lab.ProbeARP, Dev: "lo"},
	} {
		if _, err := Run(t.Context(), k, r); err == nil {
			t.Errorf("%+v: no error", r)
		}
	}
}

func TestAPacketToOneself(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, pair)
	r := follow(t, k, Request{From: "a", To: addr("10.0.0.1")})
	if diff := cmp.Diff([]string{"a:lo out", "a:lo in"}, places(r, lab.LegRequest)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a:lo out", "a:lo in"}, places(r, lab.LegReply)); diff != "" {
		t.Error(diff)
	}
	if r.Journey.End.Outcome != lab.Answered {
		t.Errorf("%+v", r.Journey.End)
	}
}
