package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"netlab/lab/kernel/kerneltest"
	"netlab/scenarios"
)

// Others do something on the host while a lab is half up, or up. What netlab does
// after that, and at last a teardown, loses nothing of theirs and leaves nothing
// of ours.
func TestWhatOthersDoMeanwhileIsTheirs(t *testing.T) {
	seed := seed(t)
	for i, s := range scenarios.All() {
		t.Run(s.Name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newRandomBed(t, closedEverySecond(i+int(seed)))
			rng := rand.New(rand.NewPCG(seed, 0))
			l := slot{name: s.Name, scenario: s, values: s.Defaults()}
			if _, ok := l.values["nat"]; ok {
				l.values["nat"] = "iptables"
			}
			ids := stepIDs(s)
			tried := 0
			for _, m := range meddlingNames() {
				for i, until := range ids {
					for pick := range 3 {
						if !soaking() && rng.IntN(60) != 0 || pick >= b.picks(l, m) {
							continue
						}
						tried++
						q := sequence{labs: []slot{l}, deeds: []deed{
							{verb: "run", step: until}, {verb: m, pick: pick},
							{verb: "check"}, {verb: "run"}, {verb: "check"}, {verb: "teardown"},
						}}
						if i%2 == 1 {
							q.deeds = append(q.deeds[:3], q.deeds[5:]...) // and nothing is tried again
						}
						if wrong := b.try(q); wrong != "" {
							t.Errorf("seed %d:\n%s\n%s", seed, q, wrong)
						}
					}
				}
			}
			t.Logf("seed %d: %d cases", seed, tried)
		})
	}
}

// picks is of how many objects of the lab a meddling can be about one.
func (b *randomBed) picks(l slot, name string) int {
	needs, script := l.scenario.Needs(l.values), fmt.Sprint(meddlings()[name])
	switch {
	case strings.Contains(script, "LINK"):
		return len(needs.Links)
	case strings.Contains(script, "NS"):
		return len(needs.Namespaces)
	}
	return 1
}
