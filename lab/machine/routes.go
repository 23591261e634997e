package machine

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// hostAddr is an IPv4 address of a device of the host.
type hostAddr struct {
	addr netip.Addr
	dev  string
}

// hostRoute is an IPv4 route of the host's main table.
type hostRoute struct {
	dst     netip.Prefix
	gateway netip.Addr // the zero value where there is none
	dev     string     // empty for a route to nowhere, such as a blackhole
	kernel  bool       // the kernel made it, with an address
	unicast bool
	up      bool // dev is
	metric  int
}

// hostNet is what the host has of IPv4.
type hostNet struct {
	addrs  []hostAddr
	routes []hostRoute
}

// readNet reads the host by three dumps.
func readNet(n *kernel.Namespace) (hostNet, error) {
	links, err := kernel.Dump(n.Netlink.LinkList)
	if err != nil {
		return hostNet{}, fmt.Errorf("list links of %s: %w", n, err)
	}
	addrs, err := kernel.Dump(func() ([]netlink.Addr, error) { return n.Netlink.AddrList(nil, unix.AF_INET) })
	if err != nil {
		return hostNet{}, fmt.Errorf("list addresses of %s: %w", n, err)
	}
	routes, err := kernel.Dump(func() ([]netlink.Route, error) { return n.Netlink.RouteList(nil, unix.AF_INET) })
	if err != nil {
		return hostNet{}, fmt.Errorf("list routes of %s: %w", n, err)
	}
	devices := map[int]*netlink.LinkAttrs{}
	for _, l := range links {
		devices[l.Attrs().Index] = l.Attrs()
	}
	var found hostNet
	for _, a := range addrs {
		addr, ok := netip.AddrFromSlice(a.IP.To4())
		if d := devices[a.LinkIndex]; ok && d != nil {
			found.addrs = append(found.addrs, hostAddr{addr, d.Name})
		}
	}
	for _, r := range routes {
		found.routes = append(found.routes, readRoute(r, devices))
	}
	return found, nil
}

func readRoute(r netlink.Route, devices map[int]*netlink.LinkAttrs) hostRoute {
	index, via := r.LinkIndex, r.Gw
	if len(r.MultiPath) > 0 {
		index, via = r.MultiPath[0].LinkIndex, r.MultiPath[0].Gw
	}
	h := hostRoute{
		dst:     prefix(r.Dst),
		kernel:  int(r.Protocol) == unix.RTPROT_KERNEL,
		unicast: r.Type == unix.RTN_UNICAST,
		metric:  r.Priority,
	}
	h.gateway, _ = netip.AddrFromSlice(via.To4())
	if d := devices[index]; d != nil {
		h.dev, h.up = d.Name, d.Flags&net.FlagUp != 0
	}
	return h
}

// defaultRoute is the default route that the kernel would take.
func (h hostNet) defaultRoute() (hostRoute, bool) {
	var usable []hostRoute
	for _, r := range h.routes {
		if r.dst.Bits() == 0 && r.unicast && r.up {
			usable = append(usable, r)
		}
	}
	if len(usable) == 0 {
		return hostRoute{}, false
	}
	return slices.MinFunc(usable, func(a, b hostRoute) int { return cmp.Compare(a.metric, b.metric) }), true
}

// prefix turns the library's destination, nil for a default route in some of
// its versions, into a prefix.
func prefix(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	addr, _ := netip.AddrFromSlice(n.IP.To4())
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(addr, bits)
}

// RouteTo tells whether the host's main table has a way to an address, and
// whether that route is for the address alone. It sends nothing.
func RouteTo(host *kernel.Namespace, addr netip.Addr) (routed, alone bool, err error) {
	net, err := readNet(host)
	if err != nil {
		return false, false, err
	}
	best := hostRoute{dst: netip.PrefixFrom(addr, -1)} // shorter than any
	for _, r := range net.routes {
		longer := cmp.Or(cmp.Compare(r.dst.Bits(), best.dst.Bits()), cmp.Compare(best.metric, r.metric))
		if r.dst.Contains(addr) && longer > 0 {
			best = r
		}
	}
	return best.unicast && best.up, best.dst.IsSingleIP(), nil
}
