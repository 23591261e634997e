package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
	"netlab/scenarios"
)

// deed is one thing that is done in a random sequence.
type deed struct {
	verb string        // "run", "check", "teardown", or the name of a meddling
	slot int           // which of the labs it is about
	step string        // of "run": until there
	from string        // of "run": from there
	kill int           // at which boundary of its journal netlab is killed; 0: not
	wait time.Duration // after which netlab, a process of its own, is killed; 0: it is not
	pick int           // which of several objects
}

// Several labs at once, run, stopped, killed, torn down and meddled with at random:
// in the end the host is as it was, plus only what the meddler made.
func TestAnyOrderOfDeedsLeavesOnlyWhatOthersMade(t *testing.T) {
	seed := seed(t)
	workers, each := 6, 40
	if soaking() {
		workers, each = 8, 250
	}
	for w := range workers {
		t.Run(fmt.Sprint(w), func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newRandomBed(t, closedEverySecond(w))
			started, done, deeds := time.Now(), 0, 0
			for ; done < each; done++ {
				rng := rand.New(rand.NewPCG(seed, uint64(w)<<32|uint64(done)))
				s := randomSequence(rng)
				deeds += len(s.deeds)
				wrong := b.try(s)
				if wrong == "" {
					continue
				}
				short := b.shrink(s)
				wrong = b.try(short)
				t.Fatalf("seed %d, sequence %d:\n%s\nshrunk to\n%s\n%s", seed, done, s, short, wrong)
			}
			if diff := cmp.Diff(b.whole, kerneltest.Snapshot(t)); diff != "" && !b.rebuilt {
				t.Errorf("seed %d, after all (-before +after):\n%s", seed, diff)
			}
			t.Logf("seed %d: %d sequences of %d deeds in %v", seed, done, deeds, time.Since(started).Round(time.Second))
		})
	}
}

// closedEverySecond is the setup of the n-th host: every second one is behind
// Docker's firewall.
func closedEverySecond(n int) string {
	if n%2 == 1 {
		return dockerForward
	}
	return "true"
}

// sequence is the labs, and what is done to them.
type sequence struct {
	labs  []slot
	deeds []deed
}

// slot is a lab of a sequence: it may be up or down.
type slot struct {
	name     string
	scenario scenarios.Scenario
	values   scenarios.Values
}

func (s slot) String() string {
	words := []string{"run", s.scenario.Name, "--name", s.name}
	for _, p := range s.scenario.Params {
		if v := s.values[p.Name]; v != p.Default {
			words = append(words, "--"+p.Name, v)
		}
	}
	return strings.Join(words, " ")
}

func (s sequence) String() string {
	var lines []string
	for _, d := range s.deeds {
		lines = append(lines, "  "+s.line(d))
	}
	return strings.Join(lines, "\n")
}

func (s sequence) line(d deed) string {
	l := s.labs[d.slot]
	line := ""
	switch d.verb {
	case "run":
		line = "netlab " + l.String() + " --no-before"
		if d.step != "" {
			line += " --until " + d.step
		}
		if d.from != "" {
			line += " --from " + d.from
		}
	case "check", "teardown":
		line = "netlab " + d.verb + " " + l.name
	default:
		return fmt.Sprintf("# meddle: %s of %s, %d", d.verb, l.name, d.pick)
	}
	if d.kill > 0 {
		line += fmt.Sprintf("  # killed at boundary %d of its journal", d.kill)
	}
	if d.wait > 0 {
		line += fmt.Sprintf("  # killed after %v", d.wait)
	}
	return line
}

// randomSequence draws labs that differ in all that they take, and sometimes don't.
func randomSequence(rng *rand.Rand) sequence {
	var s sequence
	for i := range 1 + rng.IntN(3) {
		all := scenarios.All()
		sc := all[rng.IntN(len(all))]
		n := i
		if rng.IntN(12) == 0 {
			n = 0 // in the way of the first
		}
		s.labs = append(s.labs, slot{name: fmt.Sprint("lab", i), scenario: sc, values: slotValues(rng, sc, n)})
	}
	meddlings := meddlingNames()
	for range 3 + rng.IntN(7) {
		d := deed{slot: rng.IntN(len(s.labs)), pick: rng.IntN(8)}
		ids := stepIDs(s.labs[d.slot].scenario)
		switch n := rng.IntN(20); {
		case n < 9:
			d.verb = "run"
			switch rng.IntN(6) {
			case 0, 1:
				d.step = ids[rng.IntN(len(ids))]
			case 2:
				d.from = ids[rng.IntN(len(ids))]
			}
		case n < 10:
			d.verb = "check"
		case n < 13:
			d.verb = "teardown"
		default:
			d.verb = meddlings[rng.IntN(len(meddlings))]
		}
		if d.verb == "run" || d.verb == "teardown" {
			switch rng.IntN(12) {
			case 0, 1, 2:
				d.kill = 1 + rng.IntN(60)
			case 3:
				d.wait = time.Duration(rng.IntN(150_000)) * time.Microsecond
			}
		}
		s.deeds = append(s.deeds, d)
	}
	return s
}

// slotValues are the n-th lab's own.
func slotValues(rng *rand.Rand, s scenarios.Scenario, n int) scenarios.Values {
	v := s.Defaults()
	for name, value := range map[string]string{
		"namespace": fmt.Sprint("space", n), "host-link": fmt.Sprint("h.", n), "pod-link": fmt.Sprint("p", n),
		"subnet": fmt.Sprintf("10.9.%d.0/24", n), "pod-cidr": fmt.Sprintf("10.8.%d.0/26", n),
		"pod-address": fmt.Sprintf("10.7.%d.2", n), "prefix": fmt.Sprint("pod", n, "-"), "bridge": fmt.Sprint("sw", n),
		"nat": []string{"iptables", "nftables"}[rng.IntN(2)],
	} {
		if _, ok := v[name]; ok {
			v[name] = value
		}
	}
	return v
}

// shrink leaves deeds out for as long as it still goes wrong.
func (b *randomBed) shrink(s sequence) sequence {
	for deadline := time.Now().Add(30 * time.Second); ; {
		shorter := false
		for i := len(s.deeds) - 1; i >= 0; i-- {
			less := s
			less.deeds = slices.Delete(slices.Clone(s.deeds), i, i+1)
			if time.Now().After(deadline) {
				return s
			}
			if b.try(less) != "" {
				s, shorter = less, true
			}
		}
		if !shorter {
			return s
		}
	}
}
