package probe

import (
	"testing"

	"netlab/lab/kernel/kerneltest"
)

// switched joins three namespaces by a bridge.
const switched = `
	ip link add br0 type bridge
	ip link set br0 up
` + port1 + port2 + port3

const (
	port1 = `
	ip netns add p1
	ip -n p1 link set lo up
	ip link add v1 type veth peer name eth0 netns p1
	ip link set v1 master br0
	ip link set v1 up
	ip -n p1 link set eth0 up
	ip -n p1 addr add 10.0.0.1/24 dev eth0
`
	port2 = `
	ip netns add p2
	ip -n p2 link set lo up
	ip link add v2 type veth peer name eth0 netns p2
	ip link set v2 master br0
	ip link set v2 up
	ip -n p2 link set eth0 up
	ip -n p2 addr add 10.0.0.2/24 dev eth0
`
	port3 = `
	ip netns add p3
	ip -n p3 link set lo up
	ip link add v3 type veth peer name eth0 netns p3
	ip link set v3 master br0
	ip link set v3 up
	ip -n p3 link set eth0 up
	ip -n p3 addr add 10.0.0.3/24 dev eth0
`
)

func TestHearsWhatABridgeFloods(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	p := Hears{NS: "p3", Dev: "eth0", From: "p1", FromDev: "eth0", Target: addr("10.0.0.2"), Want: true}
	not := p
	not.Want = false
	tryEach(t, k, []trial{{name: "no namespace", probe: p, want: fails("missing", nil)}})
	sh(t, switched)
	asker := values{"mac": macOf(t, k, "p1", "eth0")}
	tryEach(t, k, []trial{
		{name: "no listener", probe: Hears{NS: "p3", Dev: "none", From: "p1", FromDev: "eth0", Target: p.Target}, want: fails("missing", nil)},
		{name: "no asker", probe: Hears{NS: "p3", Dev: "eth0", From: "p1", FromDev: "none", Target: p.Target}, want: fails("missing", nil)},
		{name: "flooded", probe: p, want: holds("heard", asker)},
		{name: "flooded, unwanted", probe: not, want: fails("heard", asker)},
		{name: "on the host's end", probe: Hears{Dev: "v3", From: "p1", FromDev: "eth0", Target: p.Target, Want: true}, want: holds("heard", asker)},
		{name: "another bridge", setup: "ip link add br1 type bridge\nip link set br1 up\nip link set v3 master br1", probe: not, want: holds("heard-nothing", asker)},
		{name: "another bridge, wanted", probe: p, want: fails("heard-nothing", asker)},
		{name: "others' questions", setup: "ip link set v3 master br0\nip -n p2 neigh flush dev eth0",
			probe: Hears{NS: "p3", Dev: "eth0", From: "p2", FromDev: "eth0", Target: addr("10.0.0.1"), Want: true},
			want:  holds("heard", values{"mac": macOf(t, k, "p2", "eth0")})},
		{name: "nobody answers", probe: Hears{NS: "p3", Dev: "eth0", From: "p1", FromDev: "eth0", Target: addr("10.0.0.77")}, wait: brief, want: fails("silent", nil)},
		{name: "nobody answers, wanted", probe: Hears{NS: "p3", Dev: "eth0", From: "p1", FromDev: "eth0", Target: addr("10.0.0.77"), Want: true}, wait: brief, want: fails("silent", nil)},
		{name: "deaf", setup: "ip link set v3 down", probe: not, want: fails("deaf", nil)},
		{name: "deaf itself", setup: "ip link set v3 up\nip -n p3 link set eth0 down", probe: not, want: fails("deaf", nil)},
	})
}

func TestHearsNothingOfARoutedPod(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, podded+`
		ip netns add ns2
		ip link add veth2 type veth peer name c-eth0 netns ns2
		ip link set veth2 up
		ip -n ns2 link set c-eth0 up`)
	asker := values{"mac": macOf(t, k, "ns1", "c-eth0")}
	p := Hears{NS: "ns2", Dev: "c-eth0", From: "ns1", FromDev: "c-eth0", Target: addr("169.254.1.1")}
	tryEach(t, k, []trial{
		{name: "routed", probe: p, want: holds("heard-nothing", asker)},
		{name: "answered late", setup: "sysctl -qw net.ipv4.neigh.veth.proxy_delay=20", probe: p, want: holds("heard-nothing", asker)},
		{name: "not answered", setup: "sysctl -qw net.ipv4.conf.veth.proxy_arp=0", probe: p, wait: brief, want: fails("silent", nil)},
	})
	sh(t, "ip netns exec ns1 sysctl -qw net.ipv4.neigh.c-eth0.retrans_time_ms=60000")
	cancelled(t, k, p)
}

func TestLearnedReadsTheForwardingTable(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	p := Learned{Bridge: "br0", OfNS: "p2", OfDev: "eth0", WantPort: "v2"}
	tryEach(t, k, []trial{{name: "no bridge", probe: p, want: fails("missing", nil)}})
	sh(t, switched)
	mac := macOf(t, k, "p2", "eth0")
	tryEach(t, k, []trial{
		{name: "no device", probe: Learned{Bridge: "br0", OfNS: "p2", OfDev: "none"}, want: fails("missing", nil)},
		{name: "forgotten", setup: "bridge fdb flush dev br0 dynamic", probe: p, want: fails("not-learned", values{"mac": mac})},
		{name: "a ping", probe: Ping{NS: "p1", Dst: addr("10.0.0.2"), WantTTL: 64},
			want: holds("answered", values{"from": "10.0.0.2", "ttl": "64"}), any: []string{"rtt_us"}},
		{name: "learned", probe: p, want: holds("learned", values{"mac": mac, "port": "v2"})},
		{name: "any port", probe: Learned{Bridge: "br0", OfNS: "p2", OfDev: "eth0"}, want: holds("learned", values{"mac": mac, "port": "v2"})},
		{name: "another port", probe: Learned{Bridge: "br0", OfNS: "p2", OfDev: "eth0", WantPort: "v3"},
			want: fails("elsewhere", values{"mac": mac, "port": "v2", "want": "v3"})},
		{name: "another bridge", setup: "ip link add br1 type bridge", probe: Learned{Bridge: "br1", OfNS: "p2", OfDev: "eth0"}, want: fails("not-learned", values{"mac": mac})},
		{name: "a port's own", probe: Learned{Bridge: "br0", OfDev: "v2"}, want: fails("not-learned", values{"mac": macOf(t, k, "", "v2")})},
		{name: "set by somebody", setup: "bridge fdb replace " + mac + " dev v2 master static", probe: p, want: fails("not-learned", values{"mac": mac})},
	})
}
