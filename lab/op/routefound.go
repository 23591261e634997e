package op

import (
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// routeOf is the op that names what can be named of a route over the link, which
// may be nil.
func routeOf(ns string, link netlink.Link, r netlink.Route) RouteAdd {
	o := RouteAdd{NS: ns, Dst: kernel.Prefix(r.Dst), Scope: iproute.Scope(r.Scope), Onlink: r.Flags&unix.RTNH_F_ONLINK != 0}
	if link != nil {
		o.Dev = link.Attrs().Name
	}
	if r.Type != unix.RTN_UNICAST {
		o.Type = iproute.RouteType(r.Type)
	}
	o.Via, o.Src = kernel.Addr(r.Gw), kernel.Addr(r.Src)
	return o
}

// made tells whether a route is what the command makes, whoever made it if that is
// not named: all that it names is so, and what it doesn't name is not there.
func (o RouteAdd) made(link netlink.Link, r netlink.Route) bool {
	return o.named(link, r) && reflect.DeepEqual(rest(r), netlink.Route{})
}

// named tells whether all that the command names is so.
func (o RouteAdd) named(link netlink.Link, r netlink.Route) bool {
	want, err := o.netlinkRoute(link)
	if err != nil || r.LinkIndex != want.LinkIndex || r.Scope != want.Scope || r.Type != want.Type ||
		o.Proto != "" && r.Protocol != want.Protocol {
		return false
	}
	return kernel.Prefix(r.Dst) == o.Dst && kernel.Addr(r.Gw) == o.Via && kernel.Addr(r.Src) == o.Src &&
		o.Onlink == (r.Flags&unix.RTNH_F_ONLINK != 0)
}

// rest is what a route says beyond what a RouteAdd can. That it is dead or
// offloaded is its state, and not said of it.
func rest(r netlink.Route) netlink.Route {
	r.LinkIndex, r.Scope, r.Type, r.Gw, r.Dst, r.Src = 0, 0, 0, nil, nil, nil
	r.Family, r.Table, r.Protocol, r.Flags = 0, 0, 0, 0
	return r
}

// routeType is the kernel's number of a type that an op may name.
func routeType(name string) (int, error) {
	switch name {
	case "":
		return unix.RTN_UNICAST, nil
	case "local", "blackhole", "unreachable", "prohibit":
		if number, known := iproute.RouteTypeNumber(name); known {
			return number, nil
		}
	}
	return 0, fmt.Errorf("unknown type of route %q", name)
}

// describe is what a route says besides its destination, its scope spelt out
// where its type doesn't say it.
func (o RouteAdd) describe() string {
	var words []string
	if o.Type != "" {
		words = append(words, o.Type)
	}
	if o.Via.IsValid() {
		words = append(words, "via", o.Via.String())
	}
	if o.Dev != "" {
		words = append(words, "dev", o.Dev)
	}
	if ofType := (RouteAdd{Type: o.Type}).scope(); o.Type == "" || o.scope() != ofType {
		words = append(words, "scope", iproute.Scope(o.scope()))
	}
	if o.Src.IsValid() {
		words = append(words, "src", o.Src.String())
	}
	if o.Onlink {
		words = append(words, "onlink")
	}
	return strings.Join(words, " ")
}

// describeRoute says the same of a route that was found, and what is more.
func describeRoute(n *kernel.Namespace, r netlink.Route) string {
	var words []string
	if r.Type != unix.RTN_UNICAST {
		words = append(words, iproute.RouteType(r.Type))
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
	ofType := netlink.SCOPE_UNIVERSE
	if r.Type == unix.RTN_LOCAL {
		ofType = netlink.SCOPE_HOST
	}
	if r.Type == unix.RTN_UNICAST || r.Scope != ofType {
		words = append(words, "scope", iproute.Scope(r.Scope))
	}
	if r.Src != nil {
		words = append(words, "src", r.Src.String())
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
	link, err := n.LinkAt(index)
	if err != nil {
		return "if" + strconv.Itoa(index)
	}
	return link.Attrs().Name
}

// routesTo lists a table's routes of exactly this destination.
func routesTo(n *kernel.Namespace, dst netip.Prefix, table int) ([]netlink.Route, error) {
	found, err := n.RoutesTo(dst, table)
	if err != nil {
		return nil, fmt.Errorf("read the routes of %s: %w", n, err)
	}
	return found, nil
}

// routesIn lists a table; unix.RT_TABLE_UNSPEC: all of them.
func routesIn(n *kernel.Namespace, family, table int) ([]netlink.Route, error) {
	routes, err := n.Routes(family, table)
	if err != nil {
		return nil, fmt.Errorf("read the routes of %s: %w", n, err)
	}
	return routes, nil
}
