package cause

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/op"
)

// podRoutes: what the pod sends must go to the gateway, out of its own device.
// The link route to the gateway counts only where that fails: once the default
// route is there, the kernel needs it no more.
func (f *finder) podRoutes() error {
	if f.noted(AddressMissing) {
		return nil // with a device's last address go its routes
	}
	var to []netip.Addr
	if f.wants(Route, Outside) && f.Outside.IsValid() {
		to = append(to, f.Outside)
	}
	if f.wants(Host) && f.HostAddr.IsValid() {
		to = append(to, f.HostAddr)
	}
	for _, dst := range to {
		w, err := wayTo(f.pod, dst)
		if err != nil {
			return err
		}
		next := f.Gateway
		if dst == f.Gateway { // on the link itself
			next = netip.Addr{}
		}
		if w.refused == 0 && w.via == next && w.dev == f.Dev {
			f.source(w)
			continue
		}
		return f.podRouteWrong(dst, w) // the next one would say the same
	}
	return nil
}

func (f *finder) podRouteWrong(dst netip.Addr, w way) error {
	anywhere := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	want := op.RouteAdd{NS: f.NS, Dst: anywhere, Via: f.Gateway, Dev: f.Dev}
	if w.refused != 0 {
		r, ok, err := refusing(f.pod, dst)
		if err != nil {
			return err
		}
		if ok {
			return f.wrongRoute(dst, r)
		}
	}
	switch {
	case w.local:
		return nil // address-duplicate says so
	case byRule(w) != "":
		f.policy(f.NS, dst, byRule(w))
		return nil
	case w.refused == 0 && w.dst.Bits() > 0:
		return f.wrongRoute(dst, w.route)
	}
	g, err := wayTo(f.pod, f.Gateway)
	if err != nil {
		return err
	}
	if g.refused != 0 || g.local || g.via.IsValid() || g.dev != f.Dev {
		repair := op.RouteAdd{NS: f.NS, Dst: netip.PrefixFrom(f.Gateway, 32), Dev: f.Dev, Scope: "link"}
		f.found(GatewayRouteMissing, replacing(repair.Command()),
			"in", f.NS, "gateway", f.Gateway.String(), "dev", f.Dev)
		return nil
	}
	if w.refused != 0 {
		f.found(DefaultRouteMissing, want.Command(), "in", f.NS, "dst", dst.String())
		return nil
	}
	words, err := routeWords(f.pod, w.route)
	if err == nil {
		f.found(PodRouteWrong, replacing(want.Command()), "in", f.NS, "dst", dst.String(),
			"want", "via "+f.Gateway.String()+" dev "+f.Dev, "found", strings.Join(words, " "))
	}
	return err
}

// wrongRoute: a route that beats the default route must go.
func (f *finder) wrongRoute(dst netip.Addr, r netlink.Route) error {
	words, err := routeWords(f.pod, r)
	if err != nil {
		return err
	}
	f.found(PodRouteWrong, lab.IP(f.NS, append([]string{"route", "del"}, words...)...),
		"in", f.NS, "dst", dst.String(), "want", "via "+f.Gateway.String()+" dev "+f.Dev, "found", strings.Join(words, " "))
	return nil
}

// source: from outside its subnet, nothing of the pod's finds back.
func (f *finder) source(w way) {
	if !w.src.IsValid() || f.Subnet.Contains(w.src) || w.src == f.Pod.Addr() || f.noted(SourceWrong) {
		return
	}
	f.found(SourceWrong, lab.IP(f.NS, "addr", "show"),
		"in", f.NS, "want", f.Pod.Addr().String(), "found", w.src.String(), "dev", f.Dev)
}

func (f *finder) noted(id string) bool {
	for _, c := range f.certain {
		if c.ID == id {
			return true
		}
	}
	return false
}

// replacing turns an `ip route add` into a replace, for where another may stand.
func replacing(c lab.Command) lab.Command {
	c = append(lab.Command{}, c...)
	for i, word := range c {
		if word == "add" {
			c[i] = "replace"
			break
		}
	}
	return c
}

func seconds(hundredths int) string { return strconv.FormatFloat(float64(hundredths)/100, 'g', -1, 64) }
