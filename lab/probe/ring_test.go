package probe

import (
	"strings"
	"testing"

	"netlab/lab/kernel/kerneltest"
)

func TestRingLeavesNobodyOut(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	p := Ring{Pods: []RingPod{{NS: "a", Dev: "va", Addr: addr("10.0.0.1")}, {NS: "b", Dev: "vb", Addr: addr("10.0.0.2")}}}
	tryEach(t, k, []trial{{name: "no namespace", probe: p, want: fails("missing", nil)}})
	sh(t, pair)
	vb := macOf(t, k, "b", "vb")
	hopless, liar, other, far := p, p, p, p
	hopless.Gateway, hopless.WantMAC = addr("10.0.0.2"), vb // b asks nobody for its own address
	liar.Gateway, liar.WantMAC = addr("10.0.0.2"), "02:00:00:00:00:99"
	other.Pods = []RingPod{p.Pods[0], {NS: "b", Dev: "none", Addr: addr("10.0.0.2")}}
	far.WantTTL = 63
	tryEach(t, k, []trial{
		{name: "no device", probe: other, want: fails("missing", nil)},
		{name: "all", probe: p, want: holds("all-reached", values{"pods": "2"})},
		{name: "farther than wanted", probe: far, want: fails("not-all",
			values{"pods": "2", "failed": "2", "pod": "a", "to": "10.0.0.2", "error": "ttl=64"})},
		{name: "another MAC", probe: liar, want: fails("wrong-mac",
			values{"pods": "2", "failed": "2", "pod": "a", "hop": "10.0.0.2", "mac": vb, "want": "02:00:00:00:00:99"})},
		{name: "not by that hop", probe: hopless, want: fails("other-way",
			values{"pods": "2", "failed": "1", "pod": "b", "hop": "10.0.0.2"})},
	})
	for ns, dev := range map[string]string{"a": "va", "b": "vb"} {
		if left := neighbours(t, ns, dev); strings.Contains(left, "10.0.0.") {
			t.Errorf("it left %q in %s", left, ns)
		}
	}
	tryEach(t, k, []trial{
		{name: "one is silent", setup: "ip -n b addr del 10.0.0.2/24 dev vb", probe: p, wait: brief, want: fails("not-all",
			values{"pods": "2", "failed": "2", "pod": "a", "to": "10.0.0.2", "error": "no answer"})},
		{name: "and can be told why", setup: "ip -n a link set va down", probe: p, wait: brief, want: fails("not-all",
			values{"pods": "2", "failed": "2", "pod": "a", "to": "10.0.0.2", "error": "Network is unreachable"})},
	})
	sh(t, "ip -n a link set va up\nip -n a neigh replace 10.0.0.2 lladdr 02:00:00:00:00:01 dev va")
	if _, err := p.Try(t.Context(), k, brief); err == nil {
		t.Error("an entry that somebody set was not minded")
	}
	if left := neighbours(t, "a", "va"); !strings.Contains(left, "02:00:00:00:00:01") {
		t.Errorf("what somebody set is gone: %q", left)
	}
}
