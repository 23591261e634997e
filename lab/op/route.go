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
	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// RouteAdd adds an IPv4 route: one of type local to the local table, any other to
// the main one, as iproute2 does where no table is named.
type RouteAdd struct {
	NS string `json:"ns,omitempty"`
	// Dst is the destination; 0.0.0.0/0 is the default route.
	Dst netip.Prefix `json:"dst"`
	// Via is the gateway; the zero value: none, the destination is on the link.
	Via netip.Addr `json:"via,omitzero"`
	// Dev is empty for the types that lead nowhere.
	Dev string `json:"dev,omitempty"`
	// Scope is "link", "global" or "host"; empty: not named in the command, so
	// filled in as iproute2 does: host for type local, link for a unicast route
	// without a gateway, and else global.
	Scope string `json:"scope,omitempty"`
	// Src is the source address for packets of this namespace's own; the zero
	// value: the kernel chooses one.
	Src netip.Addr `json:"src,omitzero"`
	// Onlink: the kernel takes it that Via is on the link, and doesn't look.
	Onlink bool `json:"onlink,omitempty"`
	// Type is "local", "blackhole", "unreachable" or "prohibit"; empty: unicast.
	Type string `json:"type,omitempty"`
	// Proto is who the route is said to be made by, such as "kernel"; empty: boot,
	// which is what `ip route add` leaves.
	Proto string `json:"proto,omitempty"`
}

func (RouteAdd) Kind() string { return "route-add" }

func (o RouteAdd) Command() lab.Command { return o.command("add") }

func (o RouteAdd) command(verb string) lab.Command {
	c := lab.IP(o.NS, "route", verb)
	if o.Type != "" {
		c = append(c, o.Type)
	}
	c = append(c, iproute.Dst(o.Dst))
	if o.Via.IsValid() {
		c = append(c, "via", o.Via.String())
	}
	if o.Dev != "" {
		c = append(c, "dev", o.Dev)
	}
	if o.Scope != "" {
		c = append(c, "scope", o.Scope)
	}
	if o.Src.IsValid() {
		c = append(c, "src", o.Src.String())
	}
	if o.Onlink {
		c = append(c, "onlink")
	}
	if o.Proto != "" {
		c = append(c, "proto", o.Proto)
	}
	return c
}

func (o RouteAdd) Undo() []lab.Op    { return []lab.Op{RouteDel(o)} }
func (o RouteAdd) Within() []lab.Ref { return devRefs(o.NS, o.Dev) }

// devRefs are a route's: its device, or where it has none, its namespace.
func devRefs(ns, dev string) []lab.Ref {
	if dev == "" {
		return netnsRef(ns)
	}
	return linkRefs(ns, dev)
}

// Inverse: one route to the destination is enough for the place to be taken. The
// kernel would take another beside one with a metric or a tos, and give the new
// one the old one's packets.
func (o RouteAdd) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	n, err := k.Namespace(o.NS)
	if err != nil {
		return nil, err
	}
	found, err := routesTo(n, o.Dst, o.table())
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return nil, fmt.Errorf("route to %s in %s: %w", iproute.Dst(o.Dst), n, lab.ErrTaken)
	}
	return o.Undo(), nil
}

func (o RouteAdd) table() int {
	if o.Type == "local" {
		return unix.RT_TABLE_LOCAL
	}
	return unix.RT_TABLE_MAIN
}

// scope is what iproute2 fills in where none is named (iproute_modify).
func (o RouteAdd) scope() netlink.Scope {
	switch {
	case o.Scope == "host", o.Scope == "" && o.Type == "local":
		return netlink.SCOPE_HOST
	case o.Scope == "link", o.Scope == "" && o.Type == "" && !o.Via.IsValid():
		return netlink.SCOPE_LINK
	}
	return netlink.SCOPE_UNIVERSE
}

func (o RouteAdd) netlinkRoute(link netlink.Link) (*netlink.Route, error) {
	kind, err := routeType(o.Type)
	if err != nil {
		return nil, err
	}
	if link == nil && (o.Type == "" || o.Type == "local") {
		return nil, errors.New("it needs a device")
	}
	for _, addr := range []netip.Addr{o.Dst.Addr(), o.Via, o.Src} {
		if addr.IsValid() && !addr.Is4() || !o.Dst.IsValid() {
			return nil, errors.New("it is no IPv4 route")
		}
	}
	proto, err := iproute.ProtoNumber(o.Proto)
	if err != nil {
		return nil, err
	}
	r := &netlink.Route{
		Scope:    o.scope(),
		Type:     kind,
		Dst:      &net.IPNet{IP: o.Dst.Addr().AsSlice(), Mask: net.CIDRMask(o.Dst.Bits(), 32)},
		Table:    o.table(),
		Protocol: netlink.RouteProtocol(proto),
	}
	if link != nil {
		r.LinkIndex = link.Attrs().Index
	}
	if o.Via.IsValid() {
		r.Gw = o.Via.AsSlice()
	}
	if o.Src.IsValid() {
		r.Src = o.Src.AsSlice()
	}
	if o.Onlink {
		r.Flags = unix.RTNH_F_ONLINK
	}
	return r, nil
}

// Alters: see lab.Gatherer.
func (o RouteAdd) Alters() (kernel.Reading, []string) {
	return kernel.ReadRoutes, []string{o.NS}
}

func (o RouteAdd) Apply(k *kernel.Kernel) error {
	n, link, err := undoDev(k, o.NS, o.Dev)
	if err != nil {
		return err
	}
	r, err := o.netlinkRoute(link)
	if err == nil {
		err = n.Change(func(h *netlink.Handle) error { return h.RouteAdd(r) })
	}
	if err != nil {
		return fmt.Errorf("add the route to %s in %s: %w", iproute.Dst(o.Dst), n, err)
	}
	return nil
}

// undoDev is undoLink for a route, which may have no device: then nil.
func undoDev(k *kernel.Kernel, ns, dev string) (*kernel.Namespace, netlink.Link, error) {
	if dev == "" {
		n, err := undoNamespace(k, ns)
		return n, nil, err
	}
	return undoLink(k, ns, dev)
}

// Verify looks for a route of the same destination and compares every field.
func (o RouteAdd) Verify(k *kernel.Kernel) error {
	n, err := foundNamespace(k, o.NS)
	var link netlink.Link
	if o.Dev != "" {
		n, link, err = foundLink(k, o.NS, o.Dev)
	}
	if err != nil {
		return err
	}
	found, err := routesTo(n, o.Dst, o.table())
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
		Object: "route to " + iproute.Dst(o.Dst) + " in " + n.String(), Field: "path",
		Want: o.describe(), Found: strings.Join(others, " and "),
	}
}

// Destination is for lab.Router.
func (o RouteAdd) Destination() string { return iproute.Dst(o.Dst) }
