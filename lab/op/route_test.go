package op

import (
	"testing"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

// replace puts another route in the place of one to 1.1.1.0/24.
func replace(route string) string {
	return "ip route flush 1.1.1.0/24; ip addr add 10.0.0.1/24 dev veth; ip route add " + route
}

func TestRouteVerify(t *testing.T) {
	mismatches(t, bothUp, RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "veth", Scope: "link"}, []mismatchCase{
		{"deleted", "ip route del 1.1.1.0/24", "path", "missing"},
		{"another length", replace("1.1.1.0/25 dev veth"), "path", "missing"},
		{"another table", replace("1.1.1.0/24 dev veth table 7"), "path", "missing"},
		{"another link", replace("1.1.1.0/24 dev h.1"), "path", "dev h.1 scope link"},
		{"a gateway", replace("1.1.1.0/24 via 10.0.0.9"), "path", "via 10.0.0.9 dev veth scope global"},
		{"an IPv6 gateway", "sysctl -qw net.ipv6.conf.veth.disable_ipv6=0;" + replace("1.1.1.0/24 via inet6 fe80::1 dev veth scope link"), "path", "via inet6 fe80::1 dev veth scope link"},
		{"another scope", replace("1.1.1.0/24 dev veth scope global"), "path", "dev veth scope global"},
		{"a metric", replace("1.1.1.0/24 dev veth metric 5"), "path", "dev veth scope link metric 5"},
		{"a tos", replace("1.1.1.0/24 dev veth tos 0x10"), "path", "dev veth scope link tos 0x10"},
		{"a source", replace("1.1.1.0/24 dev veth src 10.0.0.1"), "path", "dev veth scope link src 10.0.0.1"},
		{"an mtu", replace("1.1.1.0/24 dev veth mtu 1400"), "path", "dev veth scope link and more"},
		{"two links", replace("1.1.1.0/24 nexthop dev veth nexthop dev h.1"), "path", "scope global nexthop dev veth nexthop dev h.1"},
		{"blackhole", replace("blackhole 1.1.1.0/24"), "path", "blackhole"},
		{"unreachable", replace("unreachable 1.1.1.0/24"), "path", "unreachable"},
		{"local", replace("local 1.1.1.0/24 dev veth table main"), "path", "local dev veth"},
		{"two others", replace("1.1.1.0/24 dev h.1; ip route add prohibit 1.1.1.0/24 metric 7"), "path", "dev h.1 scope link and prohibit metric 7"},
		{"link down", "ip link set veth down", "path", "missing"},
		{"link deleted", "ip link del veth", "name", "missing"},
	})
	t.Run("over a gateway", func(t *testing.T) {
		mismatches(t, bothUp+"ip addr add 10.0.0.1/24 dev veth", RouteAdd{Dst: cidr("0.0.0.0/0"), Via: ip4("10.0.0.9"), Dev: "veth"}, []mismatchCase{
			{"another gateway", "ip route replace default via 10.0.0.8", "path", "via 10.0.0.8 dev veth scope global"},
			{"no gateway", "ip route del default; ip route add default dev veth scope global", "path", "dev veth scope global"},
			{"onlink", "ip route del default; ip route add default via 10.0.0.9 dev veth onlink", "path", "via 10.0.0.9 dev veth scope global onlink"},
			{"another scope", "ip route del default; ip route add default dev veth", "path", "dev veth scope link"},
		})
	})
	t.Run("with a source, onlink", func(t *testing.T) {
		setup := bothUp + "ip link set lo up; ip addr add 10.0.0.1/24 dev veth; ip addr add 10.0.1.1/24 dev h.1"
		o := RouteAdd{Dst: cidr("0.0.0.0/0"), Via: ip4("10.0.0.9"), Dev: "veth", Src: ip4("10.0.0.1"), Onlink: true}
		mismatches(t, setup, o, []mismatchCase{
			{"no source", "ip route replace default via 10.0.0.9 dev veth onlink", "path", "via 10.0.0.9 dev veth scope global onlink"},
			{"another source", "ip route replace default via 10.0.0.9 dev veth onlink src 10.0.1.1", "path", "via 10.0.0.9 dev veth scope global src 10.0.1.1 onlink"},
			{"not onlink", "ip route replace default via 10.0.0.9 dev veth src 10.0.0.1", "path", "via 10.0.0.9 dev veth scope global src 10.0.0.1"},
		})
	})
	t.Run("of type local", func(t *testing.T) {
		mismatches(t, bothUp+"ip link set lo up", RouteAdd{Dst: cidr("10.9.9.9/32"), Dev: "lo", Type: "local"}, []mismatchCase{
			{"deleted", "ip route del local 10.9.9.9 dev lo", "path", "missing"},
			{"in another table", "ip route del local 10.9.9.9 dev lo; ip route add local 10.9.9.9 dev lo table main", "path", "missing"},
			{"on another link", "ip route del local 10.9.9.9 dev lo; ip route add local 10.9.9.9 dev veth", "path", "local dev veth"},
			{"another type", "ip route del local 10.9.9.9 dev lo; ip route add blackhole 10.9.9.9 table local", "path", "blackhole"},
			{"of an address", "ip route del local 10.9.9.9 dev lo; ip addr add 10.9.9.9/32 dev lo", "path", "local dev lo src 10.9.9.9"},
		})
	})
	t.Run("of a type that leads nowhere", func(t *testing.T) {
		mismatches(t, bothUp, RouteAdd{Dst: cidr("10.9.0.0/16"), Type: "unreachable"}, []mismatchCase{
			{"deleted", "ip route del unreachable 10.9.0.0/16", "path", "missing"},
			{"another type", "ip route del unreachable 10.9.0.0/16; ip route add prohibit 10.9.0.0/16", "path", "prohibit"},
			{"over a link", "ip route replace 10.9.0.0/16 dev veth", "path", "dev veth scope link"},
		})
	})
	t.Run("in a namespace", func(t *testing.T) {
		setup := netns("ns1") + "ip -n ns1 " + pair[3:] + "ip -n ns1 link set veth up"
		mismatches(t, setup, RouteAdd{NS: "ns1", Dst: cidr("1.1.1.0/24"), Dev: "veth"}, []mismatchCase{
			{"on the host instead", "ip -n ns1 link set veth" + toHost + "; ip link set veth up; ip route add 1.1.1.0/24 dev veth", "name", "missing"},
			{"deleted", "ip netns del ns1", "name", "missing"},
		})
	})
}

// Who made a route, and whether its link has a carrier, is not read back.
func TestRouteVerifyAccepts(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, bothUp)
	o := RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "veth"}
	for _, byHand := range []string{
		"ip route add 1.1.1.0/24 dev veth proto static", "ip route add 1.1.1.0/24 dev h.1 metric 9", "ip link set h.1 down",
	} {
		b.shell(byHand)
		if err := o.Verify(b.k); err != nil {
			t.Errorf("after %s: %v", byHand, err)
		}
	}
}

func TestRouteTaken(t *testing.T) {
	placesTaken(t, RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "veth"}, map[string]string{
		"by the same":                 bothUp + "ip route add 1.1.1.0/24 dev veth",
		"by another path":             bothUp + "ip route add 1.1.1.0/24 dev h.1",
		"by a blackhole":              bothUp + "ip route add blackhole 1.1.1.0/24",
		"by a route with a metric":    bothUp + "ip route add 1.1.1.0/24 dev h.1 metric 100",
		"by an address of the subnet": bothUp + "ip addr add 1.1.1.9/24 dev h.1",
	})
}

func TestRouteBesideOthers(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, bothUp+`
		ip route add 1.1.1.0/25 dev veth; ip route add 1.1.0.0/16 dev veth
		ip route add 1.1.1.0/24 dev veth table 7; ip route add default dev veth`)
	before := b.dump()
	o := RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "veth"}
	undo := b.inverse(o)
	b.apply(o)
	b.differs(undo[0], "path", "dev veth scope link")
	b.apply(undo...)
	b.is(before, "after the undo")
}

// An undo takes away the lab's route, and no other.
func TestRouteUndoSparesOthers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		byHand string
		want   error
	}{
		{"a metric", replace("1.1.1.0/24 dev veth metric 5"), lab.ErrGone},
		{"a tos", replace("1.1.1.0/24 dev veth tos 0x10"), lab.ErrGone},
		{"another table", replace("1.1.1.0/24 dev veth table 7"), lab.ErrGone},
		{"a blackhole", replace("blackhole 1.1.1.0/24"), lab.ErrChanged},
		{"another link", replace("1.1.1.0/24 dev h.1"), lab.ErrChanged},
		{"a gateway", "ip addr add 10.0.0.1/24 dev veth; ip route replace 1.1.1.0/24 via 10.0.0.9", lab.ErrChanged},
		{"a source", replace("1.1.1.0/24 dev veth src 10.0.0.1"), lab.ErrChanged},
		{"an mtu", replace("1.1.1.0/24 dev veth mtu 1400"), lab.ErrChanged},
		{"another maker", replace("1.1.1.0/24 dev veth proto static"), lab.ErrChanged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, bothUp)
			o := RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "veth", Scope: "link"}
			undo := b.inverse(o)
			b.apply(o)
			b.shell(tt.byHand)
			b.refuses(tt.want, undo...)
		})
	}
}

// The kernel's refusals come back as they are, and nothing is left to undo.
func TestRouteRefused(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, pair+"ip link set veth up")
	before := b.dump()
	for _, tt := range []struct {
		op   RouteAdd
		want error
	}{
		{RouteAdd{Dst: cidr("0.0.0.0/0"), Via: ip4("169.254.1.1"), Dev: "veth"}, unix.ENETUNREACH},
		{RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "h.1"}, unix.ENETDOWN},
		{RouteAdd{Dst: cidr("1.1.1.2/24"), Dev: "veth"}, unix.EINVAL},
		{RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "none"}, lab.ErrGone},
		{RouteAdd{Dst: cidr("10.9.0.0/16"), Dev: "veth", Type: "blackhole"}, unix.EINVAL},
		{RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "veth", Src: ip4("10.7.7.7")}, unix.EINVAL},
		{RouteAdd{NS: "none", Dst: cidr("1.1.1.0/24"), Dev: "veth"}, lab.ErrGone},
	} {
		b.refuses(tt.want, tt.op)
		b.refuses(lab.ErrGone, tt.op.Undo()...)
	}
	for _, o := range []lab.Op{
		RouteAdd{Dst: cidr("fd00::/64"), Dev: "veth"}, RouteAdd{Dev: "veth"}, RouteAdd{Dst: cidr("0.0.0.0/0"), Via: ip4("fe80::1"), Dev: "veth"},
		RouteAdd{Dst: cidr("1.1.1.0/24")}, RouteAdd{Dst: cidr("1.1.1.0/24"), Type: "local"}, RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "veth", Type: "throw"},
		RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "veth", Src: ip4("fe80::1")}, AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24"), Scope: "site"},
		AddrAdd{Link: "veth"}, AddrAdd{Link: "veth", Addr: cidr("fd00::1/64")},
	} {
		if err := o.Apply(b.k); err == nil {
			t.Errorf("%s was done", o.Command())
		}
	}
	b.is(before, "after refusals")
}
