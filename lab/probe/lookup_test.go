package probe

import (
	"net/netip"
	"testing"

	"netlab/lab/kernel/kerneltest"
)

var (
	addr   = netip.MustParseAddr
	prefix = netip.MustParsePrefix
)

type values = map[string]string

func TestNetnsIsAStackOfItsOwn(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	tryEach(t, k, []trial{
		{name: "not made", probe: Netns{Name: "a"}, want: fails("missing", nil)},
		{name: "made", setup: "ip netns add a", probe: Netns{Name: "a"}, want: holds("own-stack", values{"links": "lo"})},
		{name: "with a device", setup: "ip -n a link add va type veth peer name vb", probe: Netns{Name: "a"},
			want: holds("own-stack", values{"links": "lo, vb, va"})},
		{name: "the host under another name", setup: "touch /run/netns/same\nmount --bind /proc/self/ns/net /run/netns/same",
			probe: Netns{Name: "same"}, want: fails("host-stack", nil)},
		{name: "a name that a stopped add left", setup: "touch /run/netns/left", probe: Netns{Name: "left"}, want: fails("missing", nil)},
	})
}

func TestLinkUpNamesWhatIsMissing(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	with := LinkUp{NS: "a", Link: "va", Addr: prefix("10.0.0.1/24")}
	without := LinkUp{NS: "a", Link: "va"}
	tryEach(t, k, []trial{
		{name: "no namespace", probe: with, want: fails("missing", nil)},
		{name: "no device", setup: "ip netns add a\nip netns add b", probe: with, want: fails("missing", nil)},
		{name: "down", setup: "ip -n a link add va type veth peer name vb netns b", probe: with, want: fails("down", nil)},
		{name: "other end down", setup: "ip -n a link set va up", probe: with, want: fails("no-carrier", nil)},
		{name: "no address", setup: "ip -n b link set vb up", probe: with, want: fails("no-address", values{"addrs": ""})},
		{name: "no address wanted", probe: without, want: holds("up", nil)},
		{name: "other prefix length", setup: "ip -n a addr add 10.0.0.1/32 dev va", probe: with,
			want: fails("no-address", values{"addrs": "10.0.0.1/32"})},
		{name: "two others", setup: "ip -n a addr add 10.9.0.1/32 dev va", probe: with,
			want: fails("no-address", values{"addrs": "10.0.0.1/32,10.9.0.1/32"})},
		{name: "up", setup: "ip -n a addr add 10.0.0.1/24 dev va", probe: with, want: holds("up", nil)},
	})
}

func TestRouteGetFollowsTheKernel(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	far := RouteGet{NS: "a", Dst: addr("192.0.2.9"), WantVia: addr("10.0.0.2"), WantDev: "va"}
	tryEach(t, k, []trial{
		{name: "no namespace", probe: far, want: fails("missing", nil)},
		{name: "no route", setup: pair, probe: far, want: fails("unreachable", values{"error": "Network is unreachable"})},
		{name: "on-link", probe: RouteGet{NS: "a", Dst: addr("10.0.0.2"), WantDev: "va"},
			want: holds("routed", values{"via": "", "dev": "va", "src": "10.0.0.1"})},
		{name: "on-link, where a gateway is wanted", probe: RouteGet{NS: "a", Dst: addr("10.0.0.2"), WantVia: addr("10.0.0.3"), WantDev: "va"},
			want: fails("direct", values{"via": "", "dev": "va", "src": "10.0.0.1"})},
		{name: "routed", setup: "ip -n a route add default via 10.0.0.2", probe: far,
			want: holds("routed", values{"via": "10.0.0.2", "dev": "va", "src": "10.0.0.1"})},
		{name: "on-link, as wanted", probe: RouteGet{NS: "a", Dst: addr("10.0.0.2"), WantDev: "va", WantDirect: true},
			want: holds("routed", values{"via": "", "dev": "va", "src": "10.0.0.1"})},
		{name: "a gateway where none is wanted", probe: RouteGet{NS: "a", Dst: addr("192.0.2.9"), WantDirect: true},
			want: fails("other-way", values{"via": "10.0.0.2", "dev": "va", "src": "10.0.0.1"})},
		{name: "other next hop", setup: "ip -n a route replace default via 10.0.0.3", probe: far,
			want: fails("other-way", values{"via": "10.0.0.3", "dev": "va", "src": "10.0.0.1"})},
		{name: "other device", probe: RouteGet{NS: "a", Dst: addr("192.0.2.9"), WantDev: "lo"},
			want: fails("other-way", values{"via": "10.0.0.3", "dev": "va", "src": "10.0.0.1"})},
		{name: "unreachable route", setup: "ip -n a route add unreachable 192.0.2.9", probe: far,
			want: fails("unreachable", values{"error": "No route to host"})},
		{name: "blackhole route", setup: "ip -n a route replace blackhole 192.0.2.9", probe: far,
			want: fails("unreachable", values{"error": "Invalid argument"})},
		{name: "prohibit route", setup: "ip -n a route replace prohibit 192.0.2.9", probe: far,
			want: fails("unreachable", values{"error": "Permission denied"})},
	})
}

func TestForwardsTellsForwardingFromFilteringAndRouting(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	p := Forwards{Src: addr("1.1.1.2"), Dst: addr("192.0.2.99"), Iif: "veth"}
	beyond := Forwards{Src: addr("1.1.1.2"), Dst: addr("198.51.100.1"), Iif: "veth"}
	tryEach(t, k, []trial{
		{name: "no namespace", probe: Forwards{NS: "none", Src: p.Src, Dst: p.Dst, Iif: "veth"}, want: fails("missing", nil)},
		{name: "no device", probe: p, want: fails("missing", nil)},
		{name: "on-link", setup: podded, probe: p, want: holds("forwards", values{"dev": "up0", "via": ""})},
		{name: "through a router", probe: beyond, want: holds("forwards", values{"dev": "up0", "via": "192.0.2.1"})},
		{name: "to the host itself", probe: Forwards{Src: p.Src, Dst: addr("192.0.2.2"), Iif: "veth"}, want: fails("local", nil)},
		{name: "no return route, strict", setup: "ip route del 1.1.1.2/32\nsysctl -qw net.ipv4.conf.veth.rp_filter=1",
			probe: p, want: holds("forwards-but-filtered", nil)},
		{name: "no return route, filter off", setup: "sysctl -qw net.ipv4.conf.veth.rp_filter=0", probe: p,
			want: holds("forwards", values{"dev": "up0", "via": ""})},
		{name: "blackhole route", setup: "ip route add blackhole 198.51.100.1", probe: beyond,
			want: fails("no-route", values{"error": "Invalid argument"})},
		{name: "unreachable route", setup: "ip route replace unreachable 198.51.100.1", probe: beyond,
			want: fails("no-route", values{"error": "No route to host"})},
		{name: "no route", setup: "ip route del unreachable 198.51.100.1\nip route del default", probe: beyond,
			want: fails("no-route", values{"error": "Network is unreachable"})},
		{name: "not forwarding on the device", setup: "ip route add default via 192.0.2.1\nsysctl -qw net.ipv4.conf.veth.forwarding=0",
			probe: p, want: fails("not-forwarding", nil)},
		{name: "not forwarding at all", setup: "sysctl -qw net.ipv4.ip_forward=0", probe: p, want: fails("not-forwarding", nil)},
		{name: "not forwarding, and filtered", setup: "sysctl -qw net.ipv4.conf.veth.rp_filter=1", probe: p,
			want: fails("not-forwarding", nil)},
	})
}
