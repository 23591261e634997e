package trace

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

// resetting refuses TCP port 99 where it is passed on, by a reset.
const resetting = `
	nft add table inet t
	nft add chain inet t f { type filter hook forward priority 0 ; }
	nft add rule inet t f tcp dport 99 reject with tcp reset
`

func brokenWays() []broken {
	toPod2 := Request{From: "pod1", To: addr("10.244.1.2")}
	silent := func(why string, more ...string) lab.Ending {
		return lab.Ending{Outcome: lab.Lost, NS: "pod1", Dev: "eth0", Leg: "request", Reason: NoNeighbour,
			Values: m(append([]string{"addr", "169.254.1.1", "dev", "eth0", "state", "INCOMPLETE", "asked", "yes",
				"router", "", "router_dev", "cali1", "why", why}, more...)...)}
	}
	return []broken{
		{name: "a reset made on the way", network: routed, setup: resetting,
			request: Request{From: "pod1", To: addr("10.244.1.2"), Probe: lab.ProbeTCP, Port: 99},
			want: lab.Ending{Outcome: lab.Rejected, NS: "", Dev: "cali1", Leg: "request", Reason: Firewall,
				Values: m("backend", "nftables", "family", "inet", "table", "t", "chain", "f", "base", "f", "hook", "forward", "rule", "reject")}},
		{name: "a reset made by the sender", network: pair, setup: `
			ip netns exec a nft add table inet t
			ip netns exec a nft add chain inet t o { type filter hook output priority 0 ; }
			ip netns exec a nft add rule inet t o tcp dport 99 reject with tcp reset`,
			request: Request{From: "a", To: addr("10.0.0.2"), Probe: lab.ProbeTCP, Port: 99},
			want: lab.Ending{Outcome: lab.Rejected, NS: "a", Leg: "request", Reason: Firewall,
				Values: m("backend", "nftables", "family", "inet", "table", "t", "chain", "o", "base", "o", "hook", "output", "rule", "reject")}},
		{name: "proxy ARP off, by a plain trace", network: routed, setup: "sysctl -qw net.ipv4.conf.cali1.proxy_arp=0", request: toPod2,
			want: silent("proxy-arp-off"), look: "sysctl net.ipv4.conf.cali1.proxy_arp"},
		{name: "forwarding off, by a plain trace", network: routed, setup: "sysctl -qw net.ipv4.conf.cali1.forwarding=0", request: toPod2,
			want: silent("forwarding-off"), look: "sysctl net.ipv4.conf.cali1.forwarding"},
		{name: "a blackhole for the gateway", network: routed, setup: "ip route add blackhole 169.254.1.1", request: toPod2,
			want: silent("refusing-route", "route", "blackhole 169.254.1.1"), look: "ip route get 169.254.1.1 from 10.244.1.1 iif cali1"},
		{name: "the gateway's route is by the asker's interface", network: routed, setup: "ip route add 169.254.1.1 dev cali1", request: toPod2,
			want: silent("same-device")},
		{name: "ARP is off on the gateway", network: routed, setup: "ip link set cali1 arp off", request: toPod2,
			want: silent("arp-off"), look: "ip link show dev cali1"},
		{name: "a rule refuses the sender", network: routed, setup: known + "ip rule add from 10.244.1.1 priority 7 blackhole", request: toPod2,
			want: lab.Ending{Outcome: lab.Lost, NS: "", Dev: "cali1", Leg: "request", Reason: RefusingRule,
				Values: m("dst", "10.244.1.2", "type", "blackhole", "rule", "7: from 10.244.1.1 blackhole")}, look: "ip rule show"},
		{name: "a rule refuses an interface", network: routed, setup: known + "ip rule add iif cali1 priority 7 unreachable", request: toPod2,
			want: lab.Ending{Outcome: lab.Rejected, NS: "", Dev: "cali1", Leg: "request", Reason: RefusingRule,
				Values: m("dst", "10.244.1.2", "type", "unreachable", "rule", "7: from all iif cali1 unreachable")}},
		{name: "a rule refuses the sender, so the gateway falls silent", network: routed, setup: "ip rule add from 10.244.1.1 priority 7 blackhole", request: toPod2,
			want: silent("refusing-rule", "rule", "7: from 10.244.1.1 blackhole"), look: "ip rule show"},
		{name: "a loopback address on the wire", network: routed, setup: known + "ip -n pod1 addr flush dev lo", request: Request{From: "pod1", To: addr("127.0.0.1")},
			want: lab.Ending{Outcome: lab.Unanswered, NS: "", Dev: "cali1", Leg: "request", Reason: Martian,
				Values: m("dst", "127.0.0.1", "dev", "cali1")}},
		{name: "the way back needs a gateway that falls silent", network: routed, setup: "sysctl -qw net.ipv4.conf.cali2.proxy_arp=0", request: toPod2,
			want: lab.Ending{Outcome: lab.Lost, NS: "pod2", Dev: "eth0", Leg: "reply", Reason: NoNeighbour,
				Values: m("addr", "169.254.1.1", "dev", "eth0", "state", "INCOMPLETE", "asked", "yes",
					"router", "", "router_dev", "cali2", "why", "proxy-arp-off")}},
		{name: "a circle of which no error comes back", network: routed, setup: `
			ip netns exec out sysctl -qw net.ipv4.ip_forward=1
			ip -n out route add 198.51.100.0/24 via 192.0.2.2`,
			request: Request{From: "pod1", To: addr("198.51.100.7")},
			want:    lab.Ending{Outcome: lab.Lost, Leg: "request", Reason: TTLExceeded}},
	}
}

func TestAPodsRouteIsGone(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, routed+"ip route del 10.244.1.2")
	r := follow(t, k, Request{From: "pod1", To: addr("10.244.1.2"), Patience: brief})
	want := []lab.Oddity{{Kind: lab.OddElsewhere, Values: m("addr", "10.244.1.2", "owner_ns", "pod2", "owner_dev", "eth0",
		"ns", "", "route", "default via 192.0.2.1 dev up0")}}
	if diff := cmp.Diff(want, r.Journey.End.Notes); diff != "" {
		t.Error(diff)
	}
	if r.Cut {
		t.Error("what is looked up for a reason is no gap in the capture")
	}
}

func TestAnswersSayWhatTheyAre(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, pair)
	serveTCP(t, k, "b", "10.0.0.2:80")
	for port, want := range map[uint16]string{80: "SYN-ACK", 81: "RST"} {
		r := follow(t, k, Request{From: "a", To: addr("10.0.0.2"), Probe: lab.ProbeTCP, Port: port})
		if l := r.Journey.Legs; len(l) != 2 || l[1].Flags != want {
			t.Errorf("port %d: %+v", port, l)
		}
	}
	r := follow(t, k, Request{From: "a", To: addr("10.0.0.2"), Probe: lab.ProbeUDP, Port: 82})
	if l := r.Journey.Legs; len(l) != 2 || l[1].Type == nil || *l[1].Type != 3 || *l[1].Code != 3 {
		t.Errorf("port unreachable: %+v", l)
	}
}
