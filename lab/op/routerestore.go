package op

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// RouteRestore puts back a route that was there before, as it was.
type RouteRestore struct {
	Route RouteAdd `json:"route"`
	// Table, Proto (who made it), Metric, TOS and MTU are what it had besides. Zero:
	// RouteAdd's own table, boot (which is what `ip route add` leaves), and none.
	Table  int    `json:"table,omitempty"`
	Proto  string `json:"proto,omitempty"`
	Metric int    `json:"metric,omitempty"`
	TOS    int    `json:"tos,omitempty"`
	MTU    int    `json:"mtu,omitempty"`
}

func (RouteRestore) Kind() string                               { return "route-restore" }
func (o RouteRestore) Undo() []lab.Op                           { return nil }
func (o RouteRestore) Within() []lab.Ref                        { return o.Route.Within() }
func (o RouteRestore) Inverse(*kernel.Kernel) ([]lab.Op, error) { return nil, nil }

func (o RouteRestore) Command() lab.Command {
	c := o.Route.Command()
	for _, option := range []struct {
		name  string
		value int
	}{{"table", o.Table}, {"metric", o.Metric}, {"tos", o.TOS}, {"mtu", o.MTU}} {
		if option.value != 0 {
			c = append(c, option.name, strconv.Itoa(option.value))
		}
	}
	if o.Proto != "" {
		c = append(c, "proto", o.Proto)
	}
	return c
}

// routeBack is the op that puts back a route as it is now. One that no op can put
// back is an error.
func routeBack(ns string, n *kernel.Namespace, r netlink.Route) (lab.Op, error) {
	var link netlink.Link
	if r.LinkIndex != 0 {
		l, err := n.Netlink.LinkByIndex(r.LinkIndex)
		if err != nil {
			return nil, fmt.Errorf("look for the device of the route to %s in %s: %w", r.Dst, n, err)
		}
		link = l
	}
	o := RouteRestore{Route: routeOf(ns, link, r), Metric: r.Priority, TOS: r.Tos, MTU: r.MTU}
	// What `ip route` fills in need not be named.
	if scope := o.Route.Scope; (RouteAdd{Type: o.Route.Type, Via: o.Route.Via}).scope() == r.Scope {
		o.Route.Scope = ""
	} else if scope != "link" && scope != "host" && scope != "global" {
		return nil, fmt.Errorf("route to %s in %s can't be put back: %s", r.Dst, n, describeRoute(n, r))
	}
	if r.Table != o.Route.table() {
		o.Table = r.Table
	}
	if r.Protocol != unix.RTPROT_BOOT {
		o.Proto = iproute.Proto(int(r.Protocol))
	}
	if !o.is(link, r) {
		return nil, fmt.Errorf("route to %s in %s can't be put back: %s", r.Dst, n, describeRoute(n, r))
	}
	return o, nil
}

// is tells whether a route is exactly the one to put back.
func (o RouteRestore) is(link netlink.Link, r netlink.Route) bool {
	proto, err := iproute.ProtoNumber(o.Proto)
	if err != nil || int(r.Protocol) != proto || r.Table != o.table() ||
		r.Priority != o.Metric || r.Tos != o.TOS || r.MTU != o.MTU {
		return false
	}
	more := rest(r)
	more.Priority, more.Tos, more.MTU = 0, 0, 0
	return o.Route.named(link, r) && reflect.DeepEqual(more, netlink.Route{})
}

func (o RouteRestore) table() int {
	if o.Table != 0 {
		return o.Table
	}
	return o.Route.table()
}

// Apply leaves a route alone that is there already. Another one in its place is
// ErrChanged: the kernel has one for each destination, tos and metric.
func (o RouteRestore) Apply(k *kernel.Kernel) error {
	n, link, err := undoDev(k, o.Route.NS, o.Route.Dev)
	if err != nil {
		return err
	}
	found, err := routesTo(n, o.Route.Dst, o.table())
	if err != nil {
		return err
	}
	for _, r := range found {
		switch {
		case o.is(link, r):
			return nil
		case r.Priority == o.Metric && r.Tos == o.TOS:
			return fmt.Errorf("route to %s in %s is now %s: %w", iproute.Dst(o.Route.Dst), n, describeRoute(n, r), lab.ErrChanged)
		}
	}
	r, err := o.Route.netlinkRoute(link)
	if err == nil {
		r.Table, r.Priority, r.Tos, r.MTU = o.table(), o.Metric, o.TOS, o.MTU
		var proto int
		proto, err = iproute.ProtoNumber(o.Proto)
		r.Protocol = netlink.RouteProtocol(proto)
	}
	if err == nil {
		err = n.Change(func(h *netlink.Handle) error { return h.RouteAdd(r) })
	}
	if err != nil {
		return fmt.Errorf("put back the route to %s in %s: %w", iproute.Dst(o.Route.Dst), n, err)
	}
	return nil
}

func (o RouteRestore) Verify(k *kernel.Kernel) error {
	n, link, err := undoDev(k, o.Route.NS, o.Route.Dev)
	if err != nil {
		return err
	}
	found, err := routesTo(n, o.Route.Dst, o.table())
	if err != nil {
		return err
	}
	var others []string
	for _, r := range found {
		if o.is(link, r) {
			return nil
		}
		others = append(others, describeRoute(n, r))
	}
	if others == nil {
		others = []string{"missing"}
	}
	return &lab.Mismatch{
		Object: "route to " + iproute.Dst(o.Route.Dst) + " in " + n.String(), Field: "path",
		Want: o.Command().String(), Found: strings.Join(others, " and "),
	}
}
