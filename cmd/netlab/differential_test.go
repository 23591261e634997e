package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
)

// The commands that netlab shows, run by the real tools, leave the same kernel
// state as netlab does: dump for dump, less MACs and ifindexes.
func TestScriptLeavesTheSameState(t *testing.T) {
	for _, tt := range []struct {
		name  string
		setup string
		flags string
	}{
		{name: "iptables-nft"},
		{name: "iptables-legacy", setup: useLegacy},
		{name: "nftables", flags: "--nat nftables"},
		{name: "other values", flags: "--namespace pod --host-link h.1 --pod-link eth0 --subnet 10.9.8.0/29 --gateway 169.254.7.7"},
		{name: "rp_filter strict", setup: "sysctl -qw net.ipv4.conf.all.rp_filter=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			pretendHost(t)
			sh(t, tt.setup)
			before := settle(t)
			script := fmt.Sprintf("netlab script proxyarp %s", tt.flags)

			sh(t, script+" | bash")
			byScript := kerneltest.Snapshot(t)
			sh(t, "netlab check proxyarp "+tt.flags)
			sh(t, script+" --undo | bash")
			waitFor(t, "the kernel to drop what was deleted", func() bool { c, _ := status(t, "ip link show dev veth"); return c != 0 })
			if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
				t.Errorf("after the script's undo (-before +after):\n%s", diff)
			}

			sh(t, "netlab run proxyarp "+tt.flags)
			byNetlab := kerneltest.Snapshot(t)
			if diff := cmp.Diff(state(byScript), state(byNetlab)); diff != "" {
				t.Errorf("-script +netlab:\n%s", diff)
			}
			if !strings.Contains(byNetlab, "169.254.") {
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
