package op

import (
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

func (RouteAdd) Kind() string { return "route-add" }

func (o RouteAdd) Command() lab.Command { return o.command("add") }

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
func (o RouteAdd) Within() []lab.Ref { return linkRefs(o.NS, o.Dev) }

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
		if r.Dst != nil && prefixOf(r.Dst) == dst {
			found = append(found, r)
		}
	}
	return found, nil
}
