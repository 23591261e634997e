package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
)

func TestTeardownLeavesTheHostAsItWas(t *testing.T) {
	for _, tt := range labCases(
		labCase{name: "with rules of others", setup: "iptables -t nat -A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE; nft add table ip theirs"},
		labCase{name: "forwarding on before", setup: "sysctl -qw net.ipv4.ip_forward=1"},
		labCase{name: "one device forwarding before", setup: "sysctl -qw net.ipv4.conf.up0.forwarding=1 net.ipv4.conf.all.accept_redirects=0"},
	) {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			pretendHostFor(t, tt.scenario)
			sh(t, tt.setup)
			before := settle(t)
			sh(t, "netlab run "+tt.scenario.Name+" "+tt.flags)
			up := kerneltest.Snapshot(t)
			if up == before {
				t.Fatal("the run changed nothing")
			}
			sh(t, "netlab teardown "+tt.scenario.Name)
			if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
				t.Errorf("the host is not as it was (-before +after):\n%s", diff)
			}
			sh(t, "netlab teardown "+tt.scenario.Name+" | grep -q 'nothing to do'")
		})
	}
}

// What is done for many together is undone as well: nothing of 200 pods is left.
func TestTeardownOfManyPodsLeavesTheHostAsItWas(t *testing.T) {
	for _, name := range []string{"calico", "bridge"} {
		t.Run(name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			pretendHost(t)
			before := settle(t)
			sh(t, "netlab run "+name+" --pods 200 --no-before --quiet; test $(ip netns | wc -l) -ge 201")
			sh(t, "netlab teardown")
			if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
				t.Errorf("the host is not as it was (-before +after):\n%s", diff)
			}
		})
	}
}

// useLegacy makes `iptables` the legacy variant, as a distribution's
// alternatives would.
const useLegacy = `mount -t tmpfs none /usr/local/sbin
for p in iptables iptables-save iptables-restore; do
	ln -s /usr/sbin/xtables-legacy-multi /usr/local/sbin/$p
done`
