package probe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Forwards asks the kernel's routing, without sending anything, whether a
// namespace would pass on a packet from Src to Dst that came in on Iif. It asks
// no firewall. A thread visits NS only to read Iif's forwarding switch, and only
// where the lookup's answer has two meanings. It waits for nothing. Outcomes:
//
//   - "forwards" (holds): "dev" and "via" (empty when on-link) it would leave by
//   - "forwards-but-filtered" (holds): forwarding is on, and the reverse path
//     filter (or another check of the source) refuses Src on Iif
//   - "not-forwarding": forwarding is off on Iif
//   - "no-route": forwarding is on, and no route leads to Dst; "error" in ip(8)'s
//     words
//   - "local": Dst is NS's own, or a broadcast address: nothing to pass on
//   - "missing": no such namespace or device
type Forwards struct {
	NS  string     `json:"ns,omitempty"`
	Src netip.Addr `json:"src"`
	Dst netip.Addr `json:"dst"`
	Iif string     `json:"iif"`
}

func (p Forwards) Command() lab.Command {
	return lab.IP(p.NS, "route", "get", p.Dst.String(), "from", p.Src.String(), "iif", p.Iif)
}

func (p Forwards) Try(_ context.Context, k *kernel.Kernel, _ time.Duration) (lab.Observation, error) {
	n, iif, err := deviceIn(k, p.NS, p.Iif)
	if err != nil {
		return missing(err)
	}
	routes, err := n.Netlink.RouteGetWithOptions(net.IP(p.Dst.AsSlice()),
		&netlink.RouteGetOptions{IifIndex: iif.Attrs().Index, SrcAddr: net.IP(p.Src.AsSlice())})
	if errno, ok := kernel.RouteRefused(err); ok {
		return p.refused(n, errno)
	}
	if err != nil || len(routes) == 0 {
		return lab.Observation{}, fmt.Errorf("look up the route from %s on %s to %s in %s: %w", p.Src, p.Iif, p.Dst, n, err)
	}
	r := routes[0]
	if r.Type != unix.RTN_UNICAST {
		return lab.Observation{Outcome: "local"}, nil
	}
	dev, err := routeDev(n, r)
	if err != nil {
		return lab.Observation{}, err
	}
	return lab.Observation{Holds: true, Outcome: "forwards",
		Values: map[string]string{"dev": dev, "via": addrWords(kernel.Addr(r.Gw))}}, nil
}

// refused tells the reasons for one errno apart. The kernel looks at the route
// first, then at forwarding, then at the source.
func (p Forwards) refused(n *kernel.Namespace, errno syscall.Errno) (lab.Observation, error) {
	noRoute := lab.Observation{Outcome: "no-route", Values: map[string]string{"error": errnoWords(errno)}}
	if errno == unix.ENETUNREACH || errno == unix.EACCES {
		return noRoute, nil
	}
	forwarding, err := n.Sysctl("net/ipv4/conf/" + p.Iif + "/forwarding")
	if errors.Is(err, fs.ErrNotExist) {
		return missing(err) // the device has gone since, or lost its IPv4
	}
	if err != nil {
		return lab.Observation{}, err
	}
	if forwarding == "0" {
		return lab.Observation{Outcome: "not-forwarding"}, nil
	}
	if errno == unix.EHOSTUNREACH { // a route of type unreachable
		return noRoute, nil
	}
	// EINVAL (EXDEV before Linux 6.13) is a refused source or a blackhole
	// route. The latter refuses the namespace's own packets as well.
	_, err = n.Netlink.RouteGet(net.IP(p.Dst.AsSlice()))
	own, refused := kernel.RouteRefused(err)
	switch {
	case own == unix.EINVAL:
		return noRoute, nil
	case err != nil && !refused:
		return lab.Observation{}, fmt.Errorf("look up the route to %s in %s: %w", p.Dst, n, err)
	}
	return lab.Observation{Holds: true, Outcome: "forwards-but-filtered"}, nil
}
