package trace

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

func TestAPingOverACableIsFollowedBothWays(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, pair)
	r := follow(t, k, Request{From: "a", To: addr("10.0.0.2")})
	if diff := cmp.Diff([]string{"a:va out", "b:vb in"}, places(r, lab.LegRequest)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"b:vb out", "a:va in"}, places(r, lab.LegReply)); diff != "" {
		t.Error(diff)
	}
	if r.Journey.End.Outcome != lab.Answered || r.Journey.End.RTT <= 0 {
		t.Errorf("end %+v", r.Journey.End)
	}
	va, vb := macOf(t, k, "a", "va"), macOf(t, k, "b", "vb")
	h := r.Journey.Legs[0].Hops[0]
	want := lab.Hop{NS: "a", Dev: "va", Dir: "out", SrcMAC: va, DstMAC: vb,
		Src: addr("10.0.0.1"), Dst: addr("10.0.0.2"), TTL: 64, After: h.After,
		Then: []lab.Decision{{Kind: lab.DecideCable, Values: map[string]string{"dev": "va", "peer": "vb", "peer_ns": "b"}}}}
	if diff := cmp.Diff(want, h, cmpAddr); diff != "" {
		t.Error(diff)
	}
	start := []lab.Decision{
		{Kind: lab.DecideRoute, Values: map[string]string{
			"route": "10.0.0.0/24 dev va proto kernel scope link src 10.0.0.1", "dev": "va", "src": "10.0.0.1"}},
		{Kind: lab.DecideNeighbour, Values: map[string]string{
			"addr": "10.0.0.2", "dev": "va", "mac": vb, "state": "REACHABLE", "asked": "yes", "owner_ns": "b", "owner_dev": "vb"}},
	}
	if diff := cmp.Diff(start, r.Journey.Legs[0].Start); diff != "" {
		t.Error(diff)
	}
	again := follow(t, k, Request{From: "a", To: addr("10.0.0.2")})
	if n := decisions(again, lab.LegRequest, lab.DecideNeighbour); len(n) != 1 || n[0]["asked"] != "" {
		t.Errorf("the neighbour is known by now, and nobody asks: %v", n)
	}
}

func TestAPacketBetweenRoutedPods(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, routed)
	r := follow(t, k, Request{From: "pod1", To: addr("10.244.1.2"), Also: []string{"out"}})
	if diff := cmp.Diff([]string{"pod1:eth0 out", "host:cali1 in", "host:cali2 out", "pod2:eth0 in"}, places(r, lab.LegRequest)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"pod2:eth0 out", "host:cali2 in", "host:cali1 out", "pod1:eth0 in"}, places(r, lab.LegReply)); diff != "" {
		t.Error(diff)
	}
	hops := r.Journey.Legs[0].Hops
	if hops[0].TTL != 64 || hops[2].TTL != 63 {
		t.Errorf("ttl %d, then %d", hops[0].TTL, hops[2].TTL)
	}
	if diff := cmp.Diff([]string{"src_mac", "dst_mac", "ttl"}, hops[2].Changed); diff != "" {
		t.Error(diff)
	}
	if hops[1].Changed != nil {
		t.Errorf("a cable changes nothing: %v", hops[1].Changed)
	}
	n := decisions(r, lab.LegRequest, lab.DecideNeighbour)
	want := []map[string]string{
		{"addr": "169.254.1.1", "dev": "eth0", "mac": "ee:ee:ee:ee:ee:ee", "state": "REACHABLE", "asked": "yes",
			"owner_ns": "", "owner_dev": "cali1", "proxy": "yes"},
		{"addr": "10.244.1.2", "dev": "cali2", "mac": macOf(t, k, "pod2", "eth0"), "state": "REACHABLE", "asked": "yes",
			"owner_ns": "pod2", "owner_dev": "eth0"},
	}
	if diff := cmp.Diff(want, n); diff != "" {
		t.Error(diff)
	}
	if heard := r.Heard["out"]; heard == nil || len(heard) != 0 {
		t.Errorf("out heard %v", heard)
	}
}

func TestAPacketOnABridge(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, bridged)
	r := follow(t, k, Request{From: "p1", To: addr("10.88.0.12"), Also: []string{"p3"}})
	if diff := cmp.Diff([]string{"p1:eth0 out", "host:v1 in", "host:v2 out", "p2:eth0 in"}, places(r, lab.LegRequest)); diff != "" {
		t.Error(diff)
	}
	for _, h := range r.Journey.Legs[0].Hops {
		if h.TTL != 64 {
			t.Errorf("a bridge lowers no ttl: %+v", h)
		}
	}
	if heard := r.Heard["p3"]; len(heard) != 1 || heard[0].Kind != KindARPRequest || heard[0].Hop.Dst != addr("10.88.0.12") {
		t.Errorf("p3 heard %+v", heard)
	}
	want := []map[string]string{{"dev": "br0", "mac": macOf(t, k, "p2", "eth0"), "port": "v2", "how": "learned"}}
	if diff := cmp.Diff(want, decisions(r, lab.LegRequest, lab.DecideBridge)); diff != "" {
		t.Error(diff)
	}
}

func TestAnARPQuestionOnABridgeIsFlooded(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, bridged)
	r := follow(t, k, Request{From: "p1", To: addr("10.88.0.12"), Probe: lab.ProbeARP})
	got := map[string]bool{}
	for _, p := range places(r, lab.LegRequest) {
		got[p] = true
	}
	want := map[string]bool{"p1:eth0 out": true, "host:v1 in": true, "host:v2 out": true, "p2:eth0 in": true,
		"host:v3 out copy": true, "p3:eth0 in copy": true, "host:br0 in copy": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"p2:eth0 out", "host:v2 in", "host:v1 out", "p1:eth0 in"}, places(r, lab.LegReply)); diff != "" {
		t.Error(diff)
	}
	if d := decisions(r, lab.LegRequest, lab.DecideBridge); len(d) != 1 || d[0]["flooded"] != "yes" {
		t.Errorf("bridge %v", d)
	}
	if r.Journey.End.Outcome != lab.Answered {
		t.Errorf("end %+v", r.Journey.End)
	}
}

func TestAPacketThatIsMasqueraded(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, routed+`
	nft add table ip lab
	nft add chain ip lab post { type nat hook postrouting priority 100 ; }
	nft add rule ip lab post oifname up0 masquerade
`)
	r := follow(t, k, Request{From: "pod1", To: addr("203.0.113.80")})
	if diff := cmp.Diff([]string{"pod1:eth0 out", "host:cali1 in", "host:up0 out", "out:eth0 in"}, places(r, lab.LegRequest)); diff != "" {
		t.Error(diff)
	}
	want := []map[string]string{{"field": "src", "before": "10.244.1.1", "after": "192.0.2.2"}}
	if diff := cmp.Diff(want, decisions(r, lab.LegRequest, lab.DecideNAT)); diff != "" {
		t.Error(diff)
	}
	want = []map[string]string{{"field": "dst", "before": "192.0.2.2", "after": "10.244.1.1"}}
	if diff := cmp.Diff(want, decisions(r, lab.LegReply, lab.DecideNAT)); diff != "" {
		t.Error(diff)
	}
	if r.Journey.End.Outcome != lab.Answered {
		t.Errorf("end %+v", r.Journey.End)
	}
	for _, routes := range []string{lab.LegRequest, lab.LegReply} {
		if d := decisions(r, routes, lab.DecideRoute); len(d) != 2 {
			t.Errorf("%s: routes %v", routes, d)
		}
	}
}
