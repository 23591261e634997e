// Package iproute has the words by which iproute2 names what the kernel numbers:
// whoever shows a route or a neighbour to a person takes them from here. A number
// without a name is shown as a number.
package iproute

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Dst is a destination: "default", an address, or a prefix.
func Dst(dst netip.Prefix) string {
	switch dst.Bits() {
	case 0:
		return "default"
	case 32:
		return dst.Addr().String()
	}
	return dst.String()
}

// RouteType is the type of a route (RTN_UNICAST and so on), empty for one that has
// no name. A unicast route's is left out by `ip route`.
func RouteType(number int) string { return routeTypes()[number] }

// RouteTypeNumber is the number of a name, and whether there is one.
func RouteTypeNumber(name string) (int, bool) { return numberOf(routeTypes(), name) }

func routeTypes() map[int]string {
	return map[int]string{
		unix.RTN_UNICAST: "unicast", unix.RTN_LOCAL: "local", unix.RTN_BROADCAST: "broadcast",
		unix.RTN_ANYCAST: "anycast", unix.RTN_MULTICAST: "multicast", unix.RTN_BLACKHOLE: "blackhole",
		unix.RTN_UNREACHABLE: "unreachable", unix.RTN_PROHIBIT: "prohibit", unix.RTN_THROW: "throw", unix.RTN_NAT: "nat",
	}
}

// Scope is a scope of a route or an address (etc/iproute2/rt_scopes). `ip route`
// leaves global out.
func Scope(s netlink.Scope) string {
	return named(map[int]string{
		int(netlink.SCOPE_UNIVERSE): "global", int(netlink.SCOPE_SITE): "site", int(netlink.SCOPE_LINK): "link",
		int(netlink.SCOPE_HOST): "host", int(netlink.SCOPE_NOWHERE): "nowhere",
	}, int(s))
}

// Table is a routing table (etc/iproute2/rt_tables). `ip route` leaves main out.
func Table(number int) string {
	return named(map[int]string{
		unix.RT_TABLE_MAIN: "main", unix.RT_TABLE_LOCAL: "local", unix.RT_TABLE_DEFAULT: "default",
	}, number)
}

// Proto is who made a route (etc/iproute2/rt_protos). `ip route` leaves boot out,
// what `ip route add` makes.
func Proto(number int) string { return named(protos(), number) }

// ProtoNumber is a name's number, boot for no name.
func ProtoNumber(name string) (int, error) {
	if name == "" {
		return unix.RTPROT_BOOT, nil
	}
	if number, known := numberOf(protos(), name); known {
		return number, nil
	}
	number, err := strconv.ParseUint(name, 10, 8)
	if err != nil {
		return 0, fmt.Errorf("unknown maker of routes %q", name)
	}
	return int(number), nil
}

func protos() map[int]string {
	return map[int]string{
		unix.RTPROT_UNSPEC: "unspec", unix.RTPROT_REDIRECT: "redirect", unix.RTPROT_KERNEL: "kernel", unix.RTPROT_BOOT: "boot",
		unix.RTPROT_STATIC: "static", unix.RTPROT_GATED: "gated", unix.RTPROT_RA: "ra", unix.RTPROT_MRT: "mrt",
		unix.RTPROT_ZEBRA: "zebra", unix.RTPROT_BIRD: "bird", unix.RTPROT_DNROUTED: "dnrouted", unix.RTPROT_XORP: "xorp",
		unix.RTPROT_NTK: "ntk", unix.RTPROT_DHCP: "dhcp", unix.RTPROT_KEEPALIVED: "keepalived", unix.RTPROT_BABEL: "babel",
		unix.RTPROT_OPENR: "openr", unix.RTPROT_BGP: "bgp", unix.RTPROT_ISIS: "isis", unix.RTPROT_OSPF: "ospf",
		unix.RTPROT_RIP: "rip", unix.RTPROT_EIGRP: "eigrp",
	}
}

// NeighState is a neighbour's state as `ip neigh` writes it.
func NeighState(state int) string {
	return map[int]string{
		unix.NUD_NONE: "NONE", unix.NUD_INCOMPLETE: "INCOMPLETE", unix.NUD_REACHABLE: "REACHABLE", unix.NUD_STALE: "STALE",
		unix.NUD_DELAY: "DELAY", unix.NUD_PROBE: "PROBE", unix.NUD_FAILED: "FAILED",
		unix.NUD_NOARP: "NOARP", unix.NUD_PERMANENT: "PERMANENT",
	}[state]
}

func named(names map[int]string, number int) string {
	if name, ok := names[number]; ok {
		return name
	}
	return strconv.Itoa(number)
}

func numberOf(names map[int]string, name string) (int, bool) {
	for number, known := range names {
		if known == name {
			return number, true
		}
	}
	return 0, false
}
