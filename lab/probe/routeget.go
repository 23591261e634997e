package probe

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

// RouteGet asks the kernel's routing, without sending anything, which way a
// namespace's own packet to Dst would go. It moves no thread and waits for
// nothing. Outcomes:
//
//   - "routed" (holds): "via" (empty when on-link), "dev", "src"
//   - "other-way": a route, but not by WantVia and WantDev, or by a gateway where
//     WantDirect; the same values
//   - "direct": straight onto the link, where WantVia should be the next hop; the
//     same values, "via" empty
//   - "unreachable": no route, or one that refuses; "error" in ip(8)'s words
//   - "missing": no such namespace
type RouteGet struct {
	NS  string     `json:"ns,omitempty"`
	Dst netip.Addr `json:"dst"`
	// WantVia and WantDev are the next hop and device expected. Zero: any.
	WantVia netip.Addr `json:"want_via,omitzero"`
	WantDev string     `json:"want_dev,omitempty"`
	// WantDirect: no gateway, Dst itself is the next hop. False: there may be one.
	WantDirect bool `json:"want_direct,omitempty"`
}

func (p RouteGet) Command() lab.Command { return lab.IP(p.NS, "route", "get", p.Dst.String()) }

func (p RouteGet) Try(_ context.Context, k *kernel.Kernel, _ time.Duration) (lab.Observation, error) {
	n, err := k.Namespace(p.NS)
	if err != nil {
		return missing(err)
	}
	routes, err := n.Netlink.RouteGet(net.IP(p.Dst.AsSlice()))
	if errno, ok := kernel.RouteRefused(err); ok {
		return lab.Observation{Outcome: "unreachable", Values: map[string]string{"error": errnoWords(errno)}}, nil
	}
	if err != nil || len(routes) == 0 {
		return lab.Observation{}, fmt.Errorf("look up the route to %s in %s: %w", p.Dst, n, err)
	}
	r := routes[0]
	dev, err := routeDev(n, r)
	if err != nil {
		return lab.Observation{}, err
	}
	via := kernel.Addr(r.Gw)
	o := lab.Observation{Holds: true, Outcome: "routed", Values: map[string]string{
		"via": addrWords(via), "dev": dev, "src": addrWords(kernel.Addr(r.Src))}}
	if p.WantVia.IsValid() && via != p.WantVia || p.WantDev != "" && dev != p.WantDev || p.WantDirect && via.IsValid() {
		o.Holds, o.Outcome = false, "other-way"
	}
	if p.WantVia.IsValid() && !via.IsValid() {
		o.Holds, o.Outcome = false, "direct"
	}
	return o, nil
}

func routeDev(n *kernel.Namespace, r netlink.Route) (string, error) {
	link, err := n.Netlink.LinkByIndex(r.LinkIndex)
	if err != nil {
		return "", fmt.Errorf("look for device %d in %s: %w", r.LinkIndex, n, err)
	}
	return link.Attrs().Name, nil
}

// addrWords is empty for no address, where String is "invalid IP".
func addrWords(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
