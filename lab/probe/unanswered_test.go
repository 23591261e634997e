package probe

import (
	"testing"

	"netlab/lab/kernel/kerneltest"
)

func TestUnansweredSeesWhereThePingGoes(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	p := Unanswered{NS: "ns1", Dst: addr("169.254.1.1"), Uplink: "up0"}
	tryEach(t, k, []trial{
		{name: "no namespace", probe: p, want: fails("missing", nil)},
		{name: "no uplink namespace", setup: "ip netns add ns1", probe: Unanswered{NS: "ns1", Dst: p.Dst, UplinkNS: "none", Uplink: "up0"}, want: fails("missing", nil)},
		{name: "no uplink", probe: p, want: fails("missing", nil)},
		{name: "upstream", setup: "ip netns del ns1\n" + podded, probe: p, want: holds("went-upstream", values{"src": "1.1.1.2"})},
		{name: "upstream, translated", setup: masquerade, probe: p, want: holds("went-upstream", values{"src": "192.0.2.2"})},
		{name: "upstream, refused beyond", setup: "ip netns exec out sysctl -qw net.ipv4.ip_forward=1\nip -n out route add unreachable 169.254.1.1", probe: p,
			want: holds("went-upstream", values{"src": "192.0.2.2", "error": "Destination Host Unreachable", "from": "192.0.2.1"})},
		{name: "answered beyond", setup: "ip -n out route del unreachable 169.254.1.1\nip -n out addr add 169.254.1.1/32 dev eth0", probe: p,
			want: fails("answered", values{"src": "192.0.2.2", "from": "169.254.1.1"})},
		{name: "answered by the host", setup: "ip addr add 169.254.1.1/32 dev veth", probe: p, want: fails("answered", values{"from": "169.254.1.1"})},
		{name: "silent inside", setup: "ip addr del 169.254.1.1/32 dev veth\nsysctl -qw net.ipv4.ip_forward=0", probe: p, wait: brief, want: fails("silent-inside", nil)},
		{name: "no route", setup: "sysctl -qw net.ipv4.ip_forward=1\nip -n ns1 route flush table main", probe: p,
			want: fails("unreachable", values{"error": "Network is unreachable"})},
	})
}

func TestUnansweredEndsWithItsContext(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, podded)
	sh(t, "sysctl -qw net.ipv4.ip_forward=0")
	cancelled(t, k, Unanswered{NS: "ns1", Dst: addr("169.254.1.1"), Uplink: "up0"})
}

func TestNowhereLooksEverywhereNamed(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	p := Nowhere{Addr: addr("169.254.1.1"), Spaces: []string{"ns1"}}
	tryEach(t, k, []trial{
		{name: "no namespace", probe: p, want: fails("missing", nil)},
		{name: "nowhere", setup: podded, probe: p, want: holds("nowhere", nil)},
		{name: "the pod's own", probe: Nowhere{Addr: addr("1.1.1.2"), Spaces: []string{"ns1"}}, want: fails("somewhere", values{"ns": "ns1", "dev": "c-eth0"})},
		{name: "not looked for there", probe: Nowhere{Addr: addr("1.1.1.2")}, want: holds("nowhere", nil)},
		{name: "on the host", setup: "ip addr add 169.254.1.1/32 dev veth", probe: p, want: fails("somewhere", values{"ns": "the host", "dev": "veth"})},
	})
}

func TestSysctlReadsAValue(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	forwarding := Sysctl{NS: "a", Key: "net/ipv4/ip_forward", Want: "1"}
	tryEach(t, k, []trial{
		{name: "no namespace", probe: forwarding, want: fails("missing", nil)},
		{name: "differs", setup: pair + "ip netns exec a sysctl -qw net.ipv4.ip_forward=0", probe: forwarding, want: fails("differs", values{"value": "0", "want": "1"})},
		{name: "is", setup: "ip netns exec a sysctl -qw net.ipv4.ip_forward=1", probe: forwarding, want: holds("is", values{"value": "1"})},
		{name: "of its own namespace", setup: "sysctl -qw net.ipv4.ip_forward=0", probe: Sysctl{Key: "net/ipv4/ip_forward", Want: "1"},
			want: fails("differs", values{"value": "0", "want": "1"})},
		{name: "no device", probe: Sysctl{NS: "a", Key: "net/ipv4/conf/none/proxy_arp", Want: "1"}, want: fails("missing", nil)},
		{name: "of several words", probe: Sysctl{NS: "a", Key: "net/ipv4/ip_local_port_range", Want: "32768 60999"}, want: holds("is", nil), any: []string{"value"}},
	})
}

func TestPingWantsATTL(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	timed := []string{"rtt_us"}
	tryEach(t, k, []trial{
		{name: "as wanted", setup: pair, probe: Ping{NS: "a", Dst: addr("10.0.0.2"), WantTTL: 64},
			want: holds("answered", values{"from": "10.0.0.2", "ttl": "64"}), any: timed},
		{name: "another", probe: Ping{NS: "a", Dst: addr("10.0.0.2"), WantTTL: 63},
			want: fails("other-ttl", values{"from": "10.0.0.2", "ttl": "64", "want": "63"}), any: timed},
	})
}
