package op

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// RouteAdd adds a unicast IPv4 route to the main table.
type RouteAdd struct {
	NS string `json:"ns,omitempty"`
	// Dst is the destination; 0.0.0.0/0 is the default route.
	Dst netip.Prefix `json:"dst"`
	// Via is the gateway; the zero value: none, the destination is on the link.
	Via netip.Addr `json:"via,omitzero"`
	Dev string     `json:"dev"`
	// Scope is "link", "global" or "host"; empty: not named in the command, so
	// link without a gateway and global with one, as iproute2 fills it in.
	Scope string `json:"scope,omitempty"`
}

// RouteDel deletes that route.
type RouteDel RouteAdd

func (RouteAdd) Kind() string { return "route-add" }
func (RouteDel) Kind() string { return "route-del" }

func (o RouteAdd) Command() lab.Command { return o.command("add") }
func (o RouteDel) Command() lab.Command { return RouteAdd(o).command("del") }

func (o RouteAdd) command(verb string) lab.Command {
	c := lab.IP(o.NS, "route", verb, o.dst())
	if o.Via.IsValid() {
		c = append(c, "via", o.Via.String())
	}
	c = append(c, "dev", o.Dev)
	if o.Scope != "" {
		c = append(c, "scope", o.Scope)
	}
	return c
}

// dst is the destination as iproute2 writes it.
func (o RouteAdd) dst() string {
	switch o.Dst.Bits() {
	case 0:
		return "default"
	case 32:
		return o.Dst.Addr().String()
	}
	return o.Dst.String()
}

func (o RouteAdd) Undo() []lab.Op    { return []lab.Op{RouteDel(o)} }
func (o RouteDel) Undo() []lab.Op    { return []lab.Op{RouteAdd(o)} }
func (o RouteAdd) Within() []lab.Ref { return linkRefs(o.NS, o.Dev) }
func (o RouteDel) Within() []lab.Ref { return linkRefs(o.NS, o.Dev) }

// Inverse: one route to the destination is enough for the place to be taken. The
// kernel would take another beside one with a metric or a tos, and give the new
// one the old one's packets.
func (o RouteAdd) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	n, err := k.Namespace(o.NS)
	if err != nil {
		return nil, err
	}
	found, err := routesTo(n, o.Dst)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("route to %s in %s: %w", o.dst(), n, lab.ErrTaken)
	}
	return o.Undo(), nil
}

func (o RouteDel) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	_, _, err := o.find(k)
	if err != nil {
		return nil, err
	}
	return o.Undo(), nil
}

func (o RouteAdd) scope() netlink.Scope {
	switch {
	case o.Scope == "host":
		return netlink.SCOPE_HOST
	case o.Scope == "link", o.Scope == "" && !o.Via.IsValid():
		return netlink.SCOPE_LINK
	}
	return netlink.SCOPE_UNIVERSE
}

func (o RouteAdd) netlinkRoute(link netlink.Link) *netlink.Route {
	r := &netlink.Route{
		LinkIndex: link.Attrs().Index,
		Scope:     o.scope(),
		Dst:       &net.IPNet{IP: o.Dst.Addr().AsSlice(), Mask: net.CIDRMask(o.Dst.Bits(), 32)},
		Table:     unix.RT_TABLE_MAIN,
		Protocol:  unix.RTPROT_BOOT, // what `ip route add` leaves
	}
	if o.Via.IsValid() {
		r.Gw = o.Via.AsSlice()
	}
	return r
}

func (o RouteAdd) Apply(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Dev)
	if err != nil {
		return err
	}
	if !o.Dst.Addr().Is4() || o.Via.IsValid() && !o.Via.Is4() {
		return fmt.Errorf("add the route to %s in %s: it is no IPv4 route", o.Dst, n)
	}
	err = n.Change(func(h *netlink.Handle) error { return h.RouteAdd(o.netlinkRoute(link)) })
	if err != nil {
		return fmt.Errorf("add the route to %s in %s: %w", o.dst(), n, err)
	}
	return nil
}

// Apply deletes the route that RouteAdd made, no other: the kernel, asked for a
// route without a metric, would take one with any.
func (o RouteDel) Apply(k *kernel.Kernel) error {
	n, link, err := o.find(k)
	if err != nil {
		return err
	}
	err = n.Change(func(h *netlink.Handle) error { return h.RouteDel(RouteAdd(o).netlinkRoute(link)) })
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("route to %s in %s: %w", RouteAdd(o).dst(), n, lab.ErrGone)
	}
	if err != nil {
		return fmt.Errorf("delete the route to %s in %s: %w", RouteAdd(o).dst(), n, err)
	}
	return nil
}

// find returns an error wrapping ErrGone where the route's place is empty, and
// ErrChanged where another route stands in it.
func (o RouteDel) find(k *kernel.Kernel) (*kernel.Namespace, netlink.Link, error) {
	n, link, err := undoLink(k, o.NS, o.Dev)
	if err != nil {
		return nil, nil, err
	}
	found, err := routesTo(n, o.Dst)
	if err != nil {
		return nil, nil, err
	}
	as := lab.ErrGone
	for _, r := range found {
		if RouteAdd(o).made(link, r) && r.Protocol == unix.RTPROT_BOOT {
			return n, link, nil
		}
		if r.Priority == 0 && r.Tos == 0 {
			as = lab.ErrChanged
		}
	}
	return nil, nil, fmt.Errorf("route to %s in %s: %w", RouteAdd(o).dst(), n, as)
}

// Verify looks for a route of the same destination and compares every field.
func (o RouteAdd) Verify(k *kernel.Kernel) error {
	n, link, err := foundLink(k, o.NS, o.Dev)
	if err != nil {
		return err
	}
	found, err := routesTo(n, o.Dst)
	if err != nil {
		return err
	}
	var others []string
	for _, r := range found {
		if o.made(link, r) {
			return nil
		}
		others = append(others, describeRoute(n, r))
	}
	if others == nil {
		others = []string{"missing"}
	}
	return &lab.Mismatch{
		Object: "route to " + o.dst() + " in " + n.String(), Field: "path",
		Want: o.describe(), Found: strings.Join(others, " and "),
	}
}

func (o RouteDel) Verify(k *kernel.Kernel) error {
	err := RouteAdd(o).Verify(k)
	var differs *lab.Mismatch
	if errors.As(err, &differs) {
		return nil
	}
	if err != nil {
		return err
	}
	return &lab.Mismatch{Object: "route to " + RouteAdd(o).dst(), Field: "path", Want: "gone", Found: RouteAdd(o).describe()}
}

// routesTo lists the main table's routes of exactly this destination.
func routesTo(n *kernel.Namespace, dst netip.Prefix) ([]netlink.Route, error) {
	all, err := kernel.Dump(func() ([]netlink.Route, error) {
		return n.Netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return nil, fmt.Errorf("read the routes of %s: %w", n, err)
	}
	var found []netlink.Route
	for _, r := range all {
		if r.Dst == nil {
			continue
		}
		ip, _ := netip.AddrFromSlice(r.Dst.IP)
		bits, _ := r.Dst.Mask.Size()
		if netip.PrefixFrom(ip.Unmap(), bits) == dst {
			found = append(found, r)
		}
	}
	return found, nil
}
