package op

import (
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// routeOf is the op that names what can be named of a route over the link.
func routeOf(ns string, link netlink.Link, r netlink.Route) RouteAdd {
	o := RouteAdd{NS: ns, Dst: prefixOf(r.Dst), Dev: link.Attrs().Name, Scope: scopeName(r.Scope)}
	if via, ok := netip.AddrFromSlice(r.Gw); ok {
		o.Via = via.Unmap()
	}
	return o
}

// made tells whether a route is what the command makes, whoever made it: all
// that it names is so, and what it doesn't name is not there.
func (o RouteAdd) made(link netlink.Link, r netlink.Route) bool {
	if r.LinkIndex != link.Attrs().Index || r.Scope != o.scope() || r.Type != unix.RTN_UNICAST {
		return false
	}
	if via, _ := netip.AddrFromSlice(r.Gw); via.Unmap() != o.Via {
		return false
	}
	return prefixOf(r.Dst) == o.Dst && reflect.DeepEqual(rest(r), netlink.Route{})
}

// rest is what a route says beyond what a RouteAdd can. That it is dead or
// offloaded is its state, and not said of it.
func rest(r netlink.Route) netlink.Route {
	r.LinkIndex, r.Scope, r.Type, r.Gw, r.Dst = 0, 0, 0, nil, nil
	r.Family, r.Table, r.Protocol = 0, 0, 0
	r.Flags &= unix.RTNH_F_ONLINK
	return r
}

// describe is what a route says besides its destination, its scope spelt out.
func (o RouteAdd) describe() string {
	s := "dev " + o.Dev + " scope " + scopeName(o.scope())
	if o.Via.IsValid() {
		s = "via " + o.Via.String() + " " + s
	}
	return s
}

// describeRoute says the same of a route that was found, and what is more.
func describeRoute(n *kernel.Namespace, r netlink.Route) string {
	types := map[int]string{
		unix.RTN_LOCAL: "local", unix.RTN_BROADCAST: "broadcast", unix.RTN_ANYCAST: "anycast",
		unix.RTN_MULTICAST: "multicast", unix.RTN_BLACKHOLE: "blackhole", unix.RTN_UNREACHABLE: "unreachable",
		unix.RTN_PROHIBIT: "prohibit", unix.RTN_THROW: "throw", unix.RTN_NAT: "nat",
	}
	var words []string
	if r.Type != unix.RTN_UNICAST {
		words = append(words, types[r.Type])
	}
	more := rest(r)
	if r.Gw != nil {
		words = append(words, "via", r.Gw.String())
	}
	if via, ok := r.Via.(*netlink.Via); ok {
		words = append(words, "via", "inet6", via.Addr.String())
		more.Via = nil
	}
	if r.LinkIndex != 0 {
		words = append(words, "dev", linkName(n, r.LinkIndex))
	}
	if r.Type == unix.RTN_UNICAST {
		words = append(words, "scope", scopeName(r.Scope))
	}
	if r.Src != nil {
		words = append(words, "src", r.Src.String())
		more.Src = nil
	}
	if r.Tos != 0 {
		words = append(words, "tos", fmt.Sprintf("%#x", r.Tos))
		more.Tos = 0
	}
	if r.Priority != 0 {
		words = append(words, "metric", strconv.Itoa(r.Priority))
		more.Priority = 0
	}
	if r.Flags&unix.RTNH_F_ONLINK != 0 {
		words = append(words, "onlink")
		more.Flags = 0
	}
	for _, hop := range r.MultiPath {
		words = append(words, "nexthop", "dev", linkName(n, hop.LinkIndex))
		more.MultiPath = nil
	}
	if !reflect.DeepEqual(more, netlink.Route{}) {
		words = append(words, "and more")
	}
	return strings.Join(words, " ")
}

func linkName(n *kernel.Namespace, index int) string {
	link, err := n.Netlink.LinkByIndex(index)
	if err != nil {
		return "if" + strconv.Itoa(index)
	}
	return link.Attrs().Name
}

// scopeName is a scope as iproute2 names it.
func scopeName(s netlink.Scope) string {
	if s == netlink.SCOPE_UNIVERSE {
		return "global"
	}
	return s.String()
}
