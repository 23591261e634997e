package cause

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/iproute"
	"netlab/lab/kernel"
	"netlab/lab/op"
)

// forwarding: ip_forward=1 sets it on every device, so the devices count only
// after it.
func (f *finder) forwarding() error {
	if !f.past(Forward) {
		f.end = true
		return nil
	}
	if err := f.findUplink(); err != nil {
		return err
	}
	if f.gatewayLocal && (f.Goal == Gateway || f.Goal == Host) {
		return nil // the host answers for itself, whatever it forwards
	}
	on, err := f.hostNumber("net/ipv4/ip_forward")
	if err != nil {
		return err
	}
	if on == 0 {
		f.found(ForwardingOff, op.SysctlSet{Key: "net/ipv4/ip_forward", Value: "1"}.Command())
		return nil
	}
	devs := []string{f.HostDev}
	if f.wants(Outside) && f.uplink.there() {
		devs = append(devs, f.uplink.Name) // the replies come in there
	}
	for _, dev := range devs {
		key := "net/ipv4/conf/" + dev + "/forwarding"
		on, err := f.hostNumber(key)
		if err != nil {
			return err
		}
		if on == 0 {
			f.found(ForwardingOffDevice, op.SysctlSet{Key: key, Value: "1"}.Command(), "dev", dev)
		}
	}
	return nil
}

// findUplink takes the device that the route to Outside leaves by, then the one
// that the lab knew, then, since a device that is set down loses its routes but
// not its addresses, the only one that is down and has an address.
func (f *finder) findUplink() error {
	name := f.Uplink
	if f.Outside.IsValid() {
		w, err := wayTo(f.host, f.Outside)
		if err != nil {
			return err
		}
		if w.refused == 0 && !w.local && w.dev != f.HostDev {
			name = w.dev
		}
	}
	if name == "" {
		down := map[string]bool{}
		for _, a := range f.hostAddrs {
			link, err := f.host.LinkAt(a.index)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("look for device %d in %s: %w", a.index, f.host, err)
			}
			if err == nil && link.Attrs().Flags&(net.FlagUp|net.FlagLoopback) == 0 {
				down[link.Attrs().Name] = true
				name = link.Attrs().Name
			}
		}
		if len(down) != 1 {
			return nil
		}
	}
	var err error
	f.uplink, err = deviceOf(f.host, name)
	return err
}

// hostRoutes: a route to Outside, and one to the gateway, which the host asks
// for before it answers ARP (facts.md, section 1).
func (f *finder) hostRoutes() error {
	if f.uplink.there() && !f.uplink.flag(unix.IFF_UP) {
		f.down(f.uplink)
		return nil // its routes went with it
	}
	if f.uplink.there() && f.wants(Outside) {
		f.carrier(f.uplink)
	}
	var to []netip.Addr
	if f.past(Gateway) && !f.gatewayLocal && !f.pinned {
		to = append(to, f.Gateway)
	}
	if f.wants(Forward, Outside) && f.Outside.IsValid() {
		to = append(to, f.Outside)
	}
	for _, dst := range to {
		w, err := wayTo(f.host, dst)
		if err != nil {
			return err
		}
		if err := f.hostRoute(dst, w); err != nil {
			return err
		}
		if f.noted(HostRouteMissing) {
			return nil // most often the same one is missing to the other
		}
	}
	return nil
}

func (f *finder) hostRoute(dst netip.Addr, w way) error {
	switch {
	case w.refused == 0 && !w.local && w.dev == f.HostDev:
		words, err := routeWords(f.host, w.route)
		if err != nil {
			return err
		}
		f.found(HostRouteBack, lab.IP("", append([]string{"route", "del"}, words...)...),
			"dst", dst.String(), "route", strings.Join(words, " "), "dev", f.HostDev)
		return nil
	case w.refused == 0:
		return nil
	}
	r, ok, err := refusing(f.host, dst)
	if err != nil {
		return err
	}
	switch {
	case ok:
		words, err := routeWords(f.host, r)
		if err != nil {
			return err
		}
		f.found(HostRouteRefuses, lab.IP("", append([]string{"route", "del"}, words...)...),
			"dst", dst.String(), "route", iproute.Dst(kernel.Prefix(r.Dst)), "type", typeWord(r.Type))
	case w.refused == unix.ENETUNREACH:
		// Where the default route should lead, netlab can't know.
		f.found(HostRouteMissing, lab.IP("", "route", "show"), "dst", dst.String())
	default:
		f.policy("", dst, w.refused.Error())
	}
	return nil
}

// rules: a lookup for the pod's own packet may be refused where the host's is
// not, by a rule on its source or its device. Other reasons have been named.
func (f *finder) rules() error {
	if len(f.certain) > 0 || !f.wants(Forward, Outside) || !f.Outside.IsValid() {
		return nil
	}
	routes, err := f.host.Netlink.RouteGetWithOptions(f.Outside.AsSlice(),
		&netlink.RouteGetOptions{IifIndex: f.hostLink.Index, SrcAddr: f.Pod.Addr().AsSlice()})
	errno, refused := kernel.RouteRefused(err)
	switch {
	case refused && f.Goal == Forward && (errno == unix.EINVAL || errno == unix.EXDEV):
		return nil // the source was refused, which this goal doesn't mind
	case refused:
		f.policy("", f.Outside, errno.Error())
		return nil
	case err != nil:
		return fmt.Errorf("look up the route from %s on %s to %s: %w", f.Pod.Addr(), f.HostDev, f.Outside, err)
	}
	if len(routes) > 0 && routes[0].LinkIndex == f.hostLink.Index {
		f.policy("", f.Outside, fmt.Sprintf("dev %s", f.HostDev))
	}
	return nil
}
