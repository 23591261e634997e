package cause

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/op"
)

// proxyARP: the switch is the device's or all's, or an entry for this address
// alone (ip-neighbour(8), "proxy").
func (f *finder) proxyARP() error {
	if !f.past(Gateway) || f.gatewayLocal || f.pinned {
		return nil
	}
	key := "net/ipv4/conf/" + f.HostDev + "/proxy_arp"
	on, err := f.inForce("proxy_arp")
	if err != nil {
		return err
	}
	if on == 0 {
		proxied, err := f.proxied()
		if err != nil || proxied {
			return err
		}
		f.found(ProxyARPOff, op.SysctlSet{Key: key, Value: "1"}.Command(),
			"dev", f.HostDev, "gateway", f.Gateway.String())
		return nil
	}
	delay, err := f.hostNumber("net/ipv4/neigh/" + f.HostDev + "/proxy_delay")
	if errors.Is(err, fs.ErrNotExist) || err == nil && delay == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	f.perhaps(ProxyDelay, op.SysctlSet{Key: "net/ipv4/neigh/" + f.HostDev + "/proxy_delay", Value: "0"}.Command(),
		"dev", f.HostDev, "value", strconv.Itoa(delay), "seconds", seconds(delay))
	return nil
}

func (f *finder) proxied() (bool, error) {
	entries, err := kernel.Dump(func() ([]netlink.Neigh, error) {
		return f.host.Netlink.NeighProxyList(f.hostLink.Index, netlink.FAMILY_V4)
	})
	if err != nil {
		return false, fmt.Errorf("list the proxied neighbours of the host: %w", err)
	}
	for _, e := range entries {
		if kernel.Addr(e.IP) == f.Gateway {
			return true, nil
		}
	}
	return false, nil
}

// wayBack: replies to the pod must leave by its device. Where rp_filter is in
// force, requests need the same route already, ARP's too.
func (f *finder) wayBack() error {
	if !f.past(Gateway) {
		return nil
	}
	filter, err := f.inForce("rp_filter")
	if err != nil {
		return err
	}
	if f.Goal == Gateway && filter == 0 {
		return nil
	}
	w, err := wayTo(f.host, f.Pod.Addr())
	if err != nil {
		return err
	}
	pod := netip.PrefixFrom(f.Pod.Addr(), 32)
	own := op.RouteAdd{Dst: pod, Dev: f.HostDev, Scope: "link"}
	refuses, thief := false, w.route
	if w.refused != 0 {
		if thief, refuses, err = refusing(f.host, f.Pod.Addr()); err != nil {
			return err
		}
	}
	bits := kernel.Prefix(thief.Dst).Bits()
	switch {
	case w.local: // address-duplicate says so
	case w.refused == 0 && w.dev == f.HostDev:
	case w.refused == 0 && !fromMain(w.route):
		f.policy("", f.Pod.Addr(), fmt.Sprintf("table %d", w.route.Table))
	case (w.refused == 0 || refuses) && bits >= f.Subnet.Bits():
		// A route to the pod alone wins without taking anybody's away, unless
		// it is just such a one that stands in its place.
		repair := own.Command()
		if bits == 32 {
			repair = replacing(repair)
		}
		words, err := routeWords(f.host, thief)
		if err != nil {
			return err
		}
		f.found(ReturnRouteStolen, repair, "pod", f.Pod.Addr().String(), "dev", f.HostDev,
			"found", strings.Join(words, " "))
	case filter > 0:
		f.found(RPFilter, f.returnRoute(), "dev", f.HostDev, "value", strconv.Itoa(filter), "subnet", f.Subnet.String())
	default:
		f.found(ReturnRouteMissing, f.returnRoute(), "subnet", f.Subnet.String(), "dev", f.HostDev)
	}
	return nil
}

func (f *finder) returnRoute() lab.Command {
	return op.RouteAdd{Dst: f.Subnet, Dev: f.HostDev, Scope: "link"}.Command()
}

// echo: the host may be told to answer no ping at all.
func (f *finder) echo() error {
	if !f.wants(Host) {
		return nil
	}
	const key = "net/ipv4/icmp_echo_ignore_all"
	ignored, err := f.hostNumber(key)
	if err == nil && ignored != 0 {
		f.found(EchoIgnored, op.SysctlSet{Key: key, Value: "0"}.Command())
	}
	return err
}
