package cause

import (
	"fmt"
	"net/netip"
	"strconv"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// way is what the kernel's routing answers for a packet that the namespace
// itself sends.
type way struct {
	refused syscall.Errno // 0: there is a way
	local   bool
	dev     string
	via     netip.Addr // the zero Addr when on-link
	src     netip.Addr
	// route is the one that was chosen, and dst its prefix.
	route netlink.Route
	dst   netip.Prefix
}

func wayTo(n *kernel.Namespace, dst netip.Addr) (way, error) {
	routes, err := n.Netlink.RouteGet(dst.AsSlice())
	if errno, ok := kernel.RouteRefused(err); ok {
		return way{refused: errno}, nil
	}
	if err != nil || len(routes) == 0 {
		return way{}, fmt.Errorf("look up the route to %s in %s: %w", dst, n, err)
	}
	r := routes[0]
	dev, err := nameOf(n, r.LinkIndex)
	if err != nil {
		return way{}, err
	}
	w := way{local: r.Type != unix.RTN_UNICAST, dev: dev, via: kernel.Addr(r.Gw), src: kernel.Addr(r.Src)}
	chosen, err := n.Netlink.RouteGetWithOptions(dst.AsSlice(), &netlink.RouteGetOptions{FIBMatch: true})
	if err != nil || len(chosen) == 0 {
		return way{}, fmt.Errorf("look up which route leads to %s in %s: %w", dst, n, err)
	}
	w.route, w.dst = chosen[0], kernel.Prefix(chosen[0].Dst)
	return w, nil
}

// refusing is the route to dst that says no: the one with the longest prefix
// among those of such a type, in any table.
func refusing(n *kernel.Namespace, dst netip.Addr) (netlink.Route, bool, error) {
	all, err := kernel.Dump(func() ([]netlink.Route, error) {
		return n.Netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return netlink.Route{}, false, fmt.Errorf("read the routes of %s: %w", n, err)
	}
	var best netlink.Route
	bits := -1
	for _, r := range all {
		p := kernel.Prefix(r.Dst)
		if typeWord(r.Type) != "" && p.Contains(dst) && p.Bits() > bits {
			best, bits = r, p.Bits()
		}
	}
	return best, bits >= 0, nil
}

// typeWord is the type of a route that refuses, empty for any other.
func typeWord(kind int) string {
	switch kind {
	case unix.RTN_UNREACHABLE:
		return "unreachable"
	case unix.RTN_BLACKHOLE:
		return "blackhole"
	case unix.RTN_PROHIBIT:
		return "prohibit"
	}
	return ""
}

// routeWords is a route as `ip route` writes it, enough to delete it by.
func routeWords(n *kernel.Namespace, r netlink.Route) ([]string, error) {
	var words []string
	if t := typeWord(r.Type); t != "" {
		words = append(words, t)
	}
	words = append(words, iproute.Dst(kernel.Prefix(r.Dst)))
	if via := kernel.Addr(r.Gw); via.IsValid() {
		words = append(words, "via", via.String())
	}
	if r.LinkIndex > 0 && typeWord(r.Type) == "" {
		dev, err := nameOf(n, r.LinkIndex)
		if err != nil {
			return nil, err
		}
		words = append(words, "dev", dev)
	}
	if r.Priority > 0 {
		words = append(words, "metric", strconv.Itoa(r.Priority))
	}
	if r.Table != unix.RT_TABLE_MAIN {
		words = append(words, "table", strconv.Itoa(r.Table))
	}
	return words, nil
}

func fromMain(r netlink.Route) bool {
	return r.Table == unix.RT_TABLE_MAIN || r.Table == unix.RT_TABLE_LOCAL
}
