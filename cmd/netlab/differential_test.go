package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
	"netlab/scenarios"
)

// The commands that netlab shows, run by the real tools, leave the same kernel
// state as netlab does: dump for dump, less MACs and ifindexes.
func TestScriptLeavesTheSameState(t *testing.T) {
	cases := labCases(labCase{name: "rp_filter strict", setup: "sysctl -qw net.ipv4.conf.all.rp_filter=1"})
	for _, s := range scenarios.All() {
		cases = append(cases, labCase{scenario: s, name: s.Name + " other values", flags: otherValues[s.Name]})
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			pretendHostFor(t, tt.scenario)
			sh(t, tt.setup)
			before, links := settle(t), sh(t, "ip -br link")
			script := fmt.Sprintf("netlab script %s %s", tt.scenario.Name, tt.flags)

			sh(t, script+" | bash")
			byScript := kerneltest.Snapshot(t)
			sh(t, fmt.Sprintf("netlab check %s %s", tt.scenario.Name, tt.flags))
			sh(t, script+" --undo | bash")
			waitFor(t, "the kernel to drop what was deleted", func() bool { return sh(t, "ip -br link") == links })
			if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
				t.Errorf("after the script's undo (-before +after):\n%s", diff)
			}

			sh(t, fmt.Sprintf("netlab run %s %s", tt.scenario.Name, tt.flags))
			byNetlab := kerneltest.Snapshot(t)
			if diff := cmp.Diff(state(byScript), state(byNetlab)); diff != "" {
				t.Errorf("-script +netlab:\n%s", diff)
			}
			if cmp.Equal(state(before), state(byNetlab)) {
				t.Error("the snapshot misses the lab")
			}
		})
	}
}

// state is a snapshot without the caches that checks have filled, and without
// what is random.
func state(snapshot string) []string {
	var kept []string
	neighbours := false
	for _, line := range strings.Split(snapshot, "\n") {
		if strings.HasPrefix(line, "## ") {
			neighbours = strings.HasSuffix(line, " neigh")
		}
		if !neighbours {
			kept = append(kept, line)
		}
	}
	return strings.Split(kerneltest.Masked(strings.Join(kept, "\n")), "\n")
}
