package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"netlab/lab/journal"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/kernel/kerneltest/fault"
	"netlab/lab/kernel/kerneltest/glance"
	"netlab/scenarios"
)

// Whichever kernel call of a run or a teardown fails, and however: what happened
// is said, and a teardown leaves the host as it was.
func TestWhateverFailsLeavesNoTrace(t *testing.T) {
	seed := seed(t)
	shards, every := 1, 150
	if soaking() {
		shards, every = 4, 12 // a third of the calls, another third each time
	}
	if soakingAll() {
		every = shards
	}
	for i, s := range scenarios.All() {
		for shard := range shards {
			t.Run(fmt.Sprint(s.Name, " ", shard), func(t *testing.T) {
				if !kerneltest.Isolate(t) {
					return
				}
				pretendHostFor(t, s)
				sh(t, closedEverySecond(i+shard))
				b := &faultBed{t: t, s: s, rng: rand.New(rand.NewPCG(seed, uint64(shard)))}
				before := settle(t)
				b.before = glanced(t)
				b.tries(every, shard, shards, b.failingRun)
				b.tries(max(every/4, shards), shard, shards, b.failingTeardown)
				if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
					t.Errorf("seed %d: after all (-before +after):\n%s", seed, diff)
				}
				t.Logf("seed %d: %d faults", seed, b.tried)
			})
		}
	}
}

type faultBed struct {
	t      *testing.T
	s      scenarios.Scenario
	rng    *rand.Rand
	before string
	tried  int
}

// glanced is a quick look at the host; see kerneltest.Snapshot for a long one.
func glanced(t *testing.T) string {
	t.Helper()
	text, err := glance.Host()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// tries has a try fail at one call of every so many, until there is none.
func (b *faultBed) tries(every, shard, shards int, try func(at int) (ended bool)) {
	for at := 1 + shard*every/shards + b.rng.IntN(every/shards); !b.t.Failed(); at += every {
		if try(at) {
			return
		}
		b.tried++
	}
}

// at runs netlab with a random fault at a call.
func (b *faultBed) at(n int, args ...string) (c fault.Call, f *fault.Fault, code int, out string) {
	b.t.Helper()
	kill, asked := b.rng.IntN(6) == 0, false
	return b.faulty(func(call fault.Call) *fault.Fault {
		// The first setting that is opened tells whether this is root. Whoever is not
		// gets a sandbox, which stays.
		rights := call.Kind == fault.Sysctl && !asked
		asked = asked || rights
		if call.N != n || rights && !kill {
			return nil
		}
		if kill {
			return &fault.Fault{Kill: true}
		}
		faults := faultsOf(call)
		return &faults[b.rng.IntN(len(faults))]
	}, args...)
}

// faulty runs netlab and tells which call had a fault, if one did.
func (b *faultBed) faulty(decide func(fault.Call) *fault.Fault, args ...string) (c fault.Call, f *fault.Fault, code int, out string) {
	b.t.Helper()
	said, err := fault.Run(func(call fault.Call) *fault.Fault {
		now := decide(call)
		if now != nil {
			c, f = call, now
		}
		return now
	}, "netlab", args...)
	var exit *exec.ExitError
	if errors.Is(err, fault.ErrHangs) || err != nil && !errors.As(err, &exit) {
		b.t.Fatalf("%s: %s: %v: %v\n%s", strings.Join(args, " "), c, f, err, said)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return c, f, code, string(said)
}

func (b *faultBed) failingRun(n int) (ended bool) {
	c, f, code, out := b.at(n, "run", b.s.Name, "--no-before", "-q")
	what := fmt.Sprintf("run %s: %s: %v: exit status %d\n%s", b.s.Name, c, f, code, out)
	if f == nil {
		what = "run " + b.s.Name
		if code != 0 {
			b.t.Errorf("%s: %d\n%s", what, code, out)
		}
	} else {
		b.said(c, *f, code, out, what)
	}
	if code == exitCannot && f != nil && !f.Kill {
		b.same(what + ": nothing was to be changed")
	}
	if f != nil && n%3 == 0 {
		if code, out := status(b.t, "netlab run "+b.s.Name+" --no-before -q"); code != 0 {
			b.t.Errorf("%s\nand once more: exit status %d\n%s", what, code, out)
		}
	}
	b.down(what)
	return f == nil
}

func (b *faultBed) failingTeardown(n int) (ended bool) {
	sh(b.t, "netlab run "+b.s.Name+" --no-before -q")
	c, f, code, out := b.at(n, "teardown", "-q")
	what := fmt.Sprintf("teardown of %s: %s: %v: exit status %d\n%s", b.s.Name, c, f, code, out)
	if f != nil {
		b.said(c, *f, code, out, what)
	}
	b.down(what)
	return f == nil
}

// said: what happened is said, in the kernel's own words.
func (b *faultBed) said(c fault.Call, f fault.Fault, code int, out, what string) {
	out = strings.ToLower(strings.Join(strings.Fields(out), " ")) // it was wrapped
	switch {
	case strings.Contains(out, "panic:") || strings.Contains(out, "goroutine "):
		b.t.Errorf("it broke: %s", what)
	case f.Kill:
		if code != -1 && code != 0 {
			b.t.Errorf("not killed: %s", what)
		}
	case code == exitDone:
	case code != exitFailed && code != exitCannot:
		b.t.Errorf("wrong exit status: %s", what)
	case code == exitCannot && (f.Errno == unix.EPERM || c.Kind == fault.Sysctl): // what it takes is said: root
	case f.Interrupted:
		if !strings.Contains(out, "interrupted") {
			b.t.Errorf("no reason is said: %s", what)
		}
	case c.Other, c.Kind == fault.Packet: // iptables says what it likes, and a check what it saw
	case !strings.Contains(out, f.Errno.Error()):
		b.t.Errorf("no reason is said: %s", what)
	}
}

func (b *faultBed) down(what string) {
	if code, out := status(b.t, "netlab teardown -q"); code != 0 {
		b.t.Errorf("%s\nteardown: exit status %d\n%s", what, code, out)
	}
	b.same(what + "\nafter teardown")
	if _, err := journal.At(labsDir).Read(b.s.Name); !errors.Is(err, fs.ErrNotExist) {
		b.t.Errorf("%s\nthe journal is still there: %v", what, err)
	}
}

func (b *faultBed) same(what string) {
	now := glanced(b.t)
	if now != b.before {
		b.t.Errorf("%s (-before +after):\n%s", what, cmp.Diff(strings.Split(b.before, "\n"), strings.Split(now, "\n")))
	}
}
