package trace

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

// named2 gives p2 a MAC that is known, so that it can be asked for without ARP.
const named2 = `
	ip -n p2 link set eth0 address 02:00:00:00:00:12
	ip -n p1 neigh replace 10.88.0.12 lladdr 02:00:00:00:00:12 dev eth0 nud permanent
`

func brokenBridges() []broken {
	toP2 := Request{From: "p1", To: addr("10.88.0.12")}
	ask := Request{From: "p1", To: addr("10.88.0.12"), Probe: lab.ProbeARP}
	lost := func(ns, dev, reason string, values ...string) lab.Ending {
		return lab.Ending{Outcome: lab.Lost, NS: ns, Dev: dev, Leg: "request", Reason: reason, Values: m(values...)}
	}
	unplugged := []string{"port", "v2", "in", "", "bridge", "br0", "owner_ns", "p2", "owner_dev", "eth0"}
	return []broken{
		{name: "a port taken off the bridge", network: bridged, setup: named2 + "ip link set v2 nomaster", request: toP2,
			want: lost("", "v1", Unplugged, unplugged...), look: "bridge link show"},
		{name: "a port taken off the bridge, and nobody answers ARP", network: bridged, setup: "ip link set v2 nomaster", request: toP2,
			want: lost("p1", "eth0", Unplugged, unplugged...)},
		{name: "a port taken off the bridge, asked by ARP", network: bridged, setup: "ip link set v2 nomaster", request: ask,
			want: lost("p1", "eth0", Unplugged, unplugged...)},
		{name: "a port that is down", network: bridged, setup: named2 + "ip link set v2 down", request: toP2,
			want: lost("", "v1", LinkDown, "dev", "v2", "in", "")},
		{name: "the only other port is off the bridge", network: bridged, setup: named2 + `
			ip link del v3
			ip link set v2 nomaster`, request: toP2,
			want: lost("", "v1", Unplugged, unplugged...)},
		{name: "the bridge is down", network: bridged, setup: named2 + "ip link set br0 down", request: toP2,
			want: lost("", "v1", LinkDown, "dev", "br0", "in", "")},
		{name: "the bridge's own firewall", network: bridged, setup: named2 + `
			nft add table bridge w
			nft add chain bridge w between { type filter hook forward priority 0 ; }
			nft add rule bridge w between iifname v3 drop
			nft add rule bridge w between iifname v1 ip daddr 10.88.0.12 drop`, request: toP2,
			want: lost("", "v1", Firewall, "backend", "nftables", "family", "bridge", "table", "w", "chain", "between", "base", "between", "hook", "forward", "rule", "drop"),
			look: "nft list chain bridge w between"},
		{name: "perhaps the bridge's own firewall", network: bridged, setup: named2 + `
			nft add table bridge w
			nft add chain bridge w pre { type filter hook prerouting priority 0 ; policy drop ; }
			nft add rule bridge w pre ether daddr 02:00:00:00:00:13 accept`, request: toP2,
			want: lost("", "v1", Firewall, "backend", "nftables", "family", "bridge", "table", "w", "chain", "pre", "base", "pre", "hook", "prerouting", "rule", "policy drop", "certain", "no")},
		{name: "isolated ports", network: bridged, setup: named2 + `
			bridge fdb replace 02:00:00:00:00:12 dev v2 master static
			bridge link set dev v1 isolated on
			bridge link set dev v2 isolated on`, request: toP2,
			want: lost("", "v1", IsolatedPorts, "bridge", "br0", "port", "v1", "other", "v2")},
	}
}

// Packets are lost at random: the kernel's queue of those received is one for all.
func TestACheckOutlivesALostPacket(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := kernel.Open()
	defer func() { _ = k.Close() }()
	sh(t, bridged+named2+`
		bridge fdb replace 02:00:00:00:00:12 dev v2 master static
		nft add table netdev t
		nft add chain netdev t out { type filter hook egress device v2 priority 0 ; }
		nft add rule netdev t out icmp type echo-request numgen inc mod 2 == 0 drop
		nft add rule netdev t out arp operation request numgen inc mod 2 == 0 drop`)
	for _, p := range []Path{{NS: "p1", Dst: addr("10.88.0.12"), WantTTL: 64}, {NS: "p3", Dst: addr("10.88.0.12"), ARP: true}} {
		o, err := p.Try(t.Context(), k, brief)
		if err != nil || !o.Holds {
			t.Errorf("%s: %v, %v, %v", p.Command(), o.Outcome, o.Values, err)
		}
	}
}

func TestABridgeSaysHowItKnowsAPort(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, bridged+named2+`
		bridge link set dev v2 learning off
		bridge fdb flush dev v2 master dynamic
	`)
	mac := "02:00:00:00:00:12"
	for _, tt := range []struct {
		setup string
		want  map[string]string
	}{
		{"", map[string]string{"dev": "br0", "mac": mac, "flooded": "yes"}},
		{"bridge fdb replace " + mac + " dev v2 master static", map[string]string{"dev": "br0", "mac": mac, "port": "v2", "how": "static"}},
	} {
		sh(t, tt.setup)
		r := follow(t, k, Request{From: "p1", To: addr("10.88.0.12")})
		if diff := cmp.Diff([]map[string]string{tt.want}, decisions(r, lab.LegRequest, lab.DecideBridge)); diff != "" {
			t.Error(diff)
		}
	}
	r := follow(t, k, Request{From: "p1", To: addr("10.88.0.1")})
	own := macOf(t, k, "", "br0")
	if d := decisions(r, lab.LegRequest, lab.DecideBridge); len(d) != 1 || d[0]["how"] != "local" || d[0]["mac"] != own {
		t.Errorf("the bridge's own MAC, %s: %v", own, d)
	}
	// One port besides the one that it came by, and still it is flooded.
	sh(t, "ip link del v3\nbridge fdb del "+mac+" dev v2 master")
	r = follow(t, k, Request{From: "p1", To: addr("10.88.0.12")})
	if d := decisions(r, lab.LegRequest, lab.DecideBridge); len(d) != 1 || d[0]["flooded"] != "yes" {
		t.Errorf("by the one port left: %v", d)
	}
}

func TestTwoWhoAnswerForOneAddress(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, bridged+"ip -n p3 addr add 10.88.0.12/24 dev eth0")
	for range 3 {
		r := follow(t, k, Request{From: "p1", To: addr("10.88.0.12"), Probe: lab.ProbeARP})
		if r.Journey.End.Outcome != lab.Answered || len(r.Journey.End.Notes) != 1 {
			t.Fatalf("end %+v", r.Journey.End)
		}
		note := r.Journey.End.Notes[0]
		got := map[string]string{note.Values["mac_ns"]: note.Values["mac"], note.Values["other_ns"]: note.Values["other"]}
		want := map[string]string{"p2": macOf(t, k, "p2", "eth0"), "p3": macOf(t, k, "p3", "eth0")}
		if diff := cmp.Diff(want, got); note.Kind != lab.OddDuplicate || diff != "" {
			t.Errorf("%+v: %s", note, diff)
		}
		legs := 0
		for _, l := range r.Journey.Legs {
			if l.Kind != lab.LegReply {
				continue
			}
			legs++
			for i, h := range l.Hops {
				if h.SrcMAC != l.Hops[0].SrcMAC {
					t.Errorf("a frame of another's: %+v", h)
				}
				if len(h.Changed) > 0 || i > 0 && h.Copy {
					t.Errorf("nothing changes on a bridge, and the answer goes one way: %+v", h)
				}
				for _, d := range h.Then {
					if d.Kind == lab.DecideBridge && d.Values["port"] != "v1" {
						t.Errorf("the asker is known: %+v", d)
					}
				}
			}
		}
		if legs != 2 {
			t.Errorf("%d answers", legs)
		}
	}
}
