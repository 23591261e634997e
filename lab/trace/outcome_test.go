package trace

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

// broken is a network in which a packet stops, and what should be said of it.
type broken struct {
	name    string
	network string
	setup   string
	request Request
	want    lab.Ending // Look, Drop and DropUnread aside
	reply   []string   // where the reply leg went, if there is one
	look    string     // the command, if it is looked at
}

const snat = `
	nft add table ip lab
	nft add chain ip lab post { type nat hook postrouting priority 100 ; }
	nft add rule ip lab post oifname up0 masquerade
`

// known is the gateway's MAC, already in pod1's neighbour table.
const known = `
	ip -n pod1 neigh replace 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent
`

func brokenNetworks() []broken {
	outside := Request{From: "pod1", To: addr("203.0.113.80")}
	toPod2 := Request{From: "pod1", To: addr("10.244.1.2")}
	return []broken{
		{name: "no route at the sender", network: pair, request: Request{From: "a", To: addr("198.51.100.1")},
			want: lab.Ending{Outcome: lab.Unsent, NS: "a", Leg: "request", Reason: NoRoute, Values: m("dst", "198.51.100.1")}},
		{name: "an unreachable route at the sender", network: pair, setup: "ip -n a route add unreachable 198.51.100.0/24",
			request: Request{From: "a", To: addr("198.51.100.1")},
			want: lab.Ending{Outcome: lab.Unsent, NS: "a", Leg: "request", Reason: UnreachableRoute,
				Values: m("dst", "198.51.100.1", "type", "unreachable", "route", "unreachable 198.51.100.0/24")}},
		{name: "nobody answers ARP", network: pair, request: Request{From: "a", To: addr("10.0.0.9")},
			want: lab.Ending{Outcome: lab.Lost, NS: "a", Dev: "va", Leg: "request", Reason: NoNeighbour,
				Values: m("addr", "10.0.0.9", "dev", "va", "state", "INCOMPLETE", "asked", "yes")}},
		{name: "output dropped", network: pair, setup: `
			ip netns exec a nft add table ip w
			ip netns exec a nft add chain ip w out { type filter hook output priority 0 ; }
			ip netns exec a nft add rule ip w out ip daddr 10.0.0.2 drop`,
			request: Request{From: "a", To: addr("10.0.0.2")},
			want: lab.Ending{Outcome: lab.Unsent, NS: "a", Dev: "va", Leg: "request", Reason: Firewall,
				Values: m("backend", "nftables", "family", "ip", "table", "w", "chain", "out", "base", "out", "hook", "output", "rule", "drop")}},
		{name: "input dropped", network: pair, setup: `
			ip netns exec b nft add table inet w
			ip netns exec b nft add chain inet w in { type filter hook input priority 0 ; policy drop ; }`,
			request: Request{From: "a", To: addr("10.0.0.2")},
			want: lab.Ending{Outcome: lab.Unanswered, NS: "b", Dev: "vb", Leg: "request", Reason: Firewall,
				Values: m("backend", "nftables", "family", "inet", "table", "w", "chain", "in", "base", "in", "hook", "input", "rule", "policy drop")}},
		{name: "echo ignored", network: pair, setup: "ip netns exec b sysctl -qw net.ipv4.icmp_echo_ignore_all=1",
			request: Request{From: "a", To: addr("10.0.0.2")},
			want: lab.Ending{Outcome: lab.Unanswered, NS: "b", Dev: "vb", Leg: "request", Reason: EchoIgnored,
				Values: m("key", "net/ipv4/icmp_echo_ignore_all")}},
		{name: "no route back in the target", network: pair, setup: `
			ip -n a addr add 172.16.0.1/32 dev lo
			ip -n a route replace 10.0.0.0/24 dev va src 172.16.0.1`,
			request: Request{From: "a", To: addr("10.0.0.2")},
			want:    lab.Ending{Outcome: lab.Lost, NS: "b", Dev: "vb", Leg: "reply", Reason: NoRoute, Values: m("dst", "172.16.0.1")}},
		{name: "forwarding off", network: routed, setup: known + "sysctl -qw net.ipv4.conf.cali1.forwarding=0", request: toPod2,
			want: lab.Ending{Outcome: lab.Lost, NS: "", Dev: "cali1", Leg: "request", Reason: ForwardingOff,
				Values: m("key", "net/ipv4/conf/cali1/forwarding", "dev", "cali1")}},
		{name: "forwarding off everywhere", network: routed, setup: known + "sysctl -qw net.ipv4.ip_forward=0", request: toPod2,
			want: lab.Ending{Outcome: lab.Lost, NS: "", Dev: "cali1", Leg: "request", Reason: ForwardingOff,
				Values: m("key", "net/ipv4/ip_forward", "dev", "cali1")}},
		{name: "rp_filter without the route back", network: routed, setup: known + `
			sysctl -qw net.ipv4.conf.cali1.rp_filter=1
			ip route del 10.244.1.1`, request: toPod2,
			want: lab.Ending{Outcome: lab.Lost, NS: "", Dev: "cali1", Leg: "request", Reason: RPFilter,
				Values: m("src", "10.244.1.1", "dev", "cali1", "value", "1", "back", "up0")}},
		{name: "no route on the host", network: routed, setup: known + "ip route del default", request: outside,
			want: lab.Ending{Outcome: lab.Rejected, NS: "", Dev: "cali1", Leg: "request", Reason: NoRoute, Values: m("dst", "203.0.113.80")}},
		{name: "no route on the host, which is seen by its silence", network: routed, setup: "ip route del default", request: outside,
			want: lab.Ending{Outcome: lab.Lost, NS: "pod1", Dev: "eth0", Leg: "request", Reason: NoNeighbour,
				Values: m("addr", "169.254.1.1", "dev", "eth0", "state", "INCOMPLETE", "asked", "yes",
					"router", "", "router_dev", "cali1", "why", "no-route")}},
		{name: "a blackhole on the host", network: routed, setup: "ip route add blackhole 203.0.113.0/24", request: outside,
			want: lab.Ending{Outcome: lab.Lost, NS: "", Dev: "cali1", Leg: "request", Reason: UnreachableRoute,
				Values: m("dst", "203.0.113.80", "type", "blackhole", "route", "blackhole 203.0.113.0/24")}},
		{name: "a rule drops in forward", network: routed, setup: `
			nft add table ip w
			nft add chain ip w fw { type filter hook forward priority 0 ; }
			nft add rule ip w fw ip saddr 10.244.1.1 ip daddr 10.244.1.2 drop`, request: toPod2,
			want: lab.Ending{Outcome: lab.Lost, NS: "", Dev: "cali1", Leg: "request", Reason: Firewall,
				Values: m("backend", "nftables", "family", "ip", "table", "w", "chain", "fw", "base", "fw", "hook", "forward", "rule", "drop")}},
		{name: "iptables drops in FORWARD", network: routed, setup: "iptables -w -A FORWARD -i cali1 -j DROP", request: toPod2,
			want: lab.Ending{Outcome: lab.Lost, NS: "", Dev: "cali1", Leg: "request", Reason: Firewall,
				Values: m("backend", "nftables", "family", "ip", "table", "filter", "chain", "FORWARD", "base", "FORWARD", "hook", "forward", "rule", "drop")}},
		{name: "iptables rejects in FORWARD", network: routed, setup: "iptables -w -A FORWARD -i cali1 -j REJECT", request: toPod2,
			want: lab.Ending{Outcome: lab.Rejected, NS: "", Dev: "cali1", Leg: "request", Reason: Firewall,
				Values: m("backend", "nftables", "family", "ip", "table", "filter", "chain", "FORWARD", "base", "FORWARD", "hook", "forward", "rule", "reject")}},
		{name: "a rule that only may have dropped it", network: pair, setup: `
			ip netns exec b nft add table ip w
			ip netns exec b nft add set ip w bad { type ipv4_addr ; elements = { 10.0.0.1 } ; }
			ip netns exec b nft add chain ip w in { type filter hook input priority 0 ; }
			ip netns exec b nft add rule ip w in ip saddr @bad drop`,
			request: Request{From: "a", To: addr("10.0.0.2")},
			want: lab.Ending{Outcome: lab.Unanswered, NS: "b", Dev: "vb", Leg: "request", Reason: Firewall,
				Values: m("backend", "nftables", "family", "ip", "table", "w", "chain", "in", "base", "in", "hook", "input", "rule", "drop", "certain", "no")}},
		{name: "a UDP server that says nothing", network: pair, request: Request{From: "a", To: addr("10.0.0.2"), Probe: lab.ProbeUDP, Port: 83},
			want: lab.Ending{Outcome: lab.Unanswered, NS: "b", Dev: "vb", Leg: "request", Reason: NoAnswer, Values: m("addr", "10.0.0.2")}},
		{name: "the reply is dropped in forward", network: routed, setup: `
			nft add table ip w
			nft add chain ip w fw { type filter hook forward priority 0 ; }
			nft add rule ip w fw iifname cali2 drop`, request: toPod2, reply: []string{"pod2:eth0 out", "host:cali2 in"},
			want: lab.Ending{Outcome: lab.Lost, NS: "", Dev: "cali2", Leg: "reply", Reason: Firewall,
				Values: m("backend", "nftables", "family", "ip", "table", "w", "chain", "fw", "base", "fw", "hook", "forward", "rule", "drop")}},
		{name: "nobody has the address on the far link", network: routed, setup: "ip route add 10.244.1.9 dev cali2 scope link",
			request: Request{From: "pod1", To: addr("10.244.1.9")},
			want: lab.Ending{Outcome: lab.Lost, NS: "", Dev: "cali1", Leg: "request", Reason: NoNeighbour,
				Values: m("addr", "10.244.1.9", "dev", "cali2", "state", "INCOMPLETE", "asked", "yes")}},
		{name: "the route back is missing on the host", network: routed, setup: snat + "ip route del 10.244.1.1", request: outside,
			reply: []string{"out:eth0 out", "host:up0 in", "host:up0 out", "out:eth0 in"},
			want: lab.Ending{Outcome: lab.Lost, NS: "out", Dev: "eth0", Leg: "reply", Reason: ForwardingOff,
				Values: m("key", "net/ipv4/ip_forward", "dev", "eth0")}},
		{name: "no masquerade", network: routed, request: outside,
			want: lab.Ending{Outcome: lab.Lost, NS: "out", Dev: "eth0", Leg: "reply", Reason: NoRoute, Values: m("dst", "10.244.1.1")}},
		{name: "the gateway that exists nowhere", network: routed, request: Request{From: "pod1", To: addr("169.254.1.1")},
			want: lab.Ending{Outcome: lab.Lost, NS: "out", Dev: "eth0", Leg: "request", Reason: ForwardingOff,
				Values: m("key", "net/ipv4/ip_forward", "dev", "eth0")}},
		{name: "a TCP port that is closed", network: pair, request: Request{From: "a", To: addr("10.0.0.2"), Probe: lab.ProbeTCP, Port: 81},
			reply: []string{"b:vb out", "a:va in"},
			want: lab.Ending{Outcome: lab.Rejected, NS: "b", Dev: "vb", Leg: "request", Reason: PortClosed,
				Values: m("addr", "10.0.0.2", "port", "81", "proto", "tcp")}},
		{name: "a UDP port that is closed", network: pair, request: Request{From: "a", To: addr("10.0.0.2"), Probe: lab.ProbeUDP, Port: 82},
			want: lab.Ending{Outcome: lab.Rejected, NS: "b", Dev: "vb", Leg: "request", Reason: PortClosed,
				Values: m("addr", "10.0.0.2", "port", "82", "proto", "udp")}},
		{name: "a closed UDP port that the kernel keeps silent about", network: pair, setup: `
			ip netns exec b nft add table ip w
			ip netns exec b nft add chain ip w out { type filter hook output priority 0 ; }
			ip netns exec b nft add rule ip w out icmp type destination-unreachable drop`,
			request: Request{From: "a", To: addr("10.0.0.2"), Probe: lab.ProbeUDP, Port: 82},
			want: lab.Ending{Outcome: lab.Unanswered, NS: "b", Dev: "vb", Leg: "request", Reason: PortClosed,
				Values: m("addr", "10.0.0.2", "port", "82", "proto", "udp")}},
		{name: "a TCP port that is dropped", network: pair, setup: `
			ip netns exec b nft add table ip w
			ip netns exec b nft add chain ip w in { type filter hook input priority 0 ; }
			ip netns exec b nft add rule ip w in tcp dport 80 drop`,
			request: Request{From: "a", To: addr("10.0.0.2"), Probe: lab.ProbeTCP, Port: 80},
			want: lab.Ending{Outcome: lab.Unanswered, NS: "b", Dev: "vb", Leg: "request", Reason: Firewall,
				Values: m("backend", "nftables", "family", "ip", "table", "w", "chain", "in", "base", "in", "hook", "input", "rule", "drop")}},
		{name: "proxy ARP off", network: routed, setup: "sysctl -qw net.ipv4.conf.cali1.proxy_arp=0",
			request: Request{From: "pod1", To: addr("169.254.1.1"), Probe: lab.ProbeARP},
			want: lab.Ending{Outcome: lab.Lost, NS: "", Dev: "cali1", Leg: "request", Reason: NobodyHas,
				Values: m("addr", "169.254.1.1", "dev", "eth0", "router", "", "router_dev", "cali1", "why", "proxy-arp-off")}},
		{name: "no default route, so the gateway falls silent", network: routed, setup: "ip route del default",
			request: Request{From: "pod1", To: addr("169.254.1.1"), Probe: lab.ProbeARP},
			want: lab.Ending{Outcome: lab.Lost, NS: "", Dev: "cali1", Leg: "request", Reason: NobodyHas,
				Values: m("addr", "169.254.1.1", "dev", "eth0", "router", "", "router_dev", "cali1", "why", "no-route")}},
		{name: "the wrong MAC", network: pair, setup: "ip -n a neigh replace 10.0.0.2 lladdr 02:00:00:00:00:99 dev va",
			request: Request{From: "a", To: addr("10.0.0.2")},
			want:    lab.Ending{Outcome: lab.Lost, NS: "b", Dev: "vb", Leg: "request", Reason: WrongMAC}},
		{name: "the other end is down", network: pair, setup: `
			ip -n a neigh replace 10.0.0.2 lladdr 02:00:00:00:00:99 dev va
			ip -n b link set vb down`,
			request: Request{From: "a", To: addr("10.0.0.2")},
			want:    lab.Ending{Outcome: lab.Lost, NS: "a", Dev: "va", Leg: "request", Reason: NoCarrier, Values: m("dev", "va", "in", "a")}},
		{name: "its own address comes back", network: routed, setup: `
			ip netns exec out sysctl -qw net.ipv4.ip_forward=1
			ip -n out route add 198.51.100.0/24 via 192.0.2.2` + snat,
			request: Request{From: "pod1", To: addr("198.51.100.7")},
			want: lab.Ending{Outcome: lab.Lost, NS: "", Dev: "up0", Leg: "request", Reason: Martian,
				Values: m("src", "192.0.2.2", "dev", "up0")}},
		{name: "the hops run out", network: routed, setup: `
			ip netns exec out sysctl -qw net.ipv4.ip_forward=1
			ip -n out route add 198.51.100.0/24 via 192.0.2.2
			ip -n out route add 10.244.1.0/24 via 192.0.2.2`,
			request: Request{From: "pod1", To: addr("198.51.100.7")},
			want:    lab.Ending{Outcome: lab.Rejected, Leg: "request", Reason: TTLExceeded}},
	}
}

func m(values ...string) map[string]string { return named(values) }

func TestABrokenNetworkIsExplained(t *testing.T) {
	for _, b := range slices.Concat(brokenNetworks(), brokenBridges(), brokenWays()) {
		t.Run(strings.ReplaceAll(b.name, " ", "_"), func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			k := openKernel(t)
			sh(t, b.network+b.setup)
			b.request.Patience = brief
			if b.want.Reason == NoAnswer {
				inside(t, k, "b", func() error {
					c, err := net.ListenPacket("udp4", "10.0.0.2:83")
					if err == nil {
						t.Cleanup(func() { _ = c.Close() })
					}
					return err
				})
			}
			r := follow(t, k, b.request)
			got := r.Journey.End
			if len(got.Look) == 0 && got.Reason != TTLExceeded && got.Reason != TCPReset && (got.Reason != NobodyHas || got.Values["why"] != "") {
				t.Error("no command to look with")
			}
			if got.DropUnread == "" {
				t.Error("drop reasons can't be read in a user namespace, which should be said")
			}
			if b.look != "" && got.Look.String() != b.look {
				t.Errorf("look %q, want %q", got.Look, b.look)
			}
			got.Look, got.DropUnread = nil, ""
			switch got.Reason {
			case WrongMAC:
				b.want.Values = got.Values // random
			case TTLExceeded:
				b.want.Values, b.want.NS, b.want.Dev = got.Values, got.NS, got.Dev
			}
			if diff := cmp.Diff(b.want, got); diff != "" {
				t.Error(diff)
			}
			if b.reply != nil {
				if diff := cmp.Diff(b.reply, places(r, lab.LegReply)); diff != "" {
					t.Error(diff)
				}
			}
			for name := range got.Values {
				if !contains(Known()[got.Reason], name) {
					t.Errorf("%s is no known value of %s", name, got.Reason)
				}
			}
		})
	}
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}
