package probe

import (
	"testing"

	"netlab/lab/kernel/kerneltest"
)

func TestNeighbourWantsAMAC(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, pair)
	p := Neighbour{NS: "a", Dev: "va", Target: addr("10.0.0.2"), WantMAC: "ee:ee:ee:ee:ee:ee"}
	vb := macOf(t, k, "b", "vb")
	tryEach(t, k, []trial{
		{name: "another", probe: p, want: fails("answered-by-another", values{"mac": vb, "want": "ee:ee:ee:ee:ee:ee"})},
		{name: "this one", setup: "ip -n b link set vb address ee:ee:ee:ee:ee:ee", probe: p, want: holds("answered", values{"mac": "ee:ee:ee:ee:ee:ee"})},
	})
	p.WantMAC = "ee"
	if _, err := p.Try(t.Context(), k, brief); err == nil {
		t.Error("no error for what is no MAC")
	}
}

func TestKnowsReadsTheNeighbourTable(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	p := Knows{NS: "a", Dev: "va", Addr: addr("10.0.0.2"), WantNS: "b", WantDev: "vb"}
	tryEach(t, k, []trial{{name: "no namespace", probe: p, want: fails("missing", nil)}})
	sh(t, pair)
	vb := macOf(t, k, "b", "vb")
	fixed := Knows{NS: "a", Dev: "va", Addr: p.Addr, WantMAC: "ee:ee:ee:ee:ee:ee"}
	tryEach(t, k, []trial{
		{name: "no device", probe: Knows{NS: "a", Dev: "none", Addr: p.Addr}, want: fails("missing", nil)},
		{name: "no device to compare with", probe: Knows{NS: "a", Dev: "va", Addr: p.Addr, WantNS: "b", WantDev: "none"}, want: fails("missing", nil)},
		{name: "never asked", probe: p, want: fails("unknown", nil)},
		{name: "still not asked", probe: p, want: fails("unknown", nil)},
		{name: "asked", probe: Neighbour{NS: "a", Dev: "va", Target: p.Addr},
			want: holds("answered", values{"mac": vb})},
		{name: "known", probe: p, want: holds("known", values{"mac": vb, "state": "REACHABLE"})},
		{name: "any will do", probe: Knows{NS: "a", Dev: "va", Addr: p.Addr}, want: holds("known", values{"mac": vb, "state": "REACHABLE"})},
		{name: "another MAC wanted", probe: fixed, want: fails("known-other", values{"mac": vb, "want": "ee:ee:ee:ee:ee:ee", "state": "REACHABLE"})},
		{name: "permanent", setup: "ip -n a neigh replace 10.0.0.2 lladdr ee:ee:ee:ee:ee:ee dev va nud permanent", probe: fixed,
			want: holds("known", values{"mac": "ee:ee:ee:ee:ee:ee", "state": "PERMANENT"})},
		{name: "permanent, another", probe: p, want: fails("known-other", values{"mac": "ee:ee:ee:ee:ee:ee", "want": vb, "state": "PERMANENT"})},
		{name: "being asked", setup: "ip netns exec a sysctl -qw net.ipv4.neigh.va.retrans_time_ms=60000\nip -n a neigh add 10.0.0.77 dev va use nud none",
			probe: Knows{NS: "a", Dev: "va", Addr: addr("10.0.0.77")}, want: fails("unknown", values{"state": "INCOMPLETE"})},
	})
}
