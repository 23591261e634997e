package trace

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// forwarding: the sysctl of the device that the packet came in on.
func (f *finder) forwarding(in *device) (bool, error) {
	key := "net/ipv4/conf/" + in.Name + "/forwarding"
	on, err := f.number(key)
	if err != nil || on != 0 {
		return err == nil, err
	}
	whole, err := f.number("net/ipv4/ip_forward")
	if err != nil {
		return false, err
	}
	if whole == 0 {
		key = "net/ipv4/ip_forward"
	}
	f.found(ForwardingOff, f.inNS(f.space, "sysctl", sysctlName(key)), "key", key, "dev", in.Name)
	return false, nil
}

// source: an address that can't come in from outside (fib_validate_source,
// net/ipv4/fib_frontend.c).
func (f *finder) source(g *sighting, in *device) (bool, error) {
	if in.RawFlags&unix.IFF_LOOPBACK != 0 {
		return true, nil
	}
	if g.dst.IsLoopback() {
		allowed, err := f.inForce("route_localnet", in)
		if err != nil {
			return false, err
		}
		if allowed == 0 {
			f.found(Martian, f.inNS(f.space, "sysctl", sysctlName("net/ipv4/conf/"+in.Name+"/route_localnet")), "dst", g.dst.String(), "dev", in.Name)
			return false, nil
		}
	}
	martian := g.src.IsLoopback() || g.src.IsMulticast() || g.src.IsUnspecified()
	if _, ok := f.space.has(g.src); ok && !martian {
		accept, err := f.inForce("accept_local", in)
		if err != nil {
			return false, err
		}
		martian = accept == 0
	}
	if martian {
		f.found(Martian, f.inNS(f.space, "ip", "route", "get", g.dst.String(), "from", g.src.String(), "iif", in.Name),
			"src", g.src.String(), "dev", in.Name)
	}
	return !martian, nil
}

// route: there is one to the destination, and it doesn't refuse.
func (f *finder) route(q lookup) (bool, error) {
	r, err := q.ask()
	if err != nil || r.refused == 0 {
		return err == nil, err
	}
	look := f.inNS(f.space, "ip", "route", "get", q.dst.String())
	if refusing, kind, ok, err := f.space.refusing(q.dst); err != nil {
		return false, err
	} else if ok {
		f.found(UnreachableRoute, look, "dst", q.dst.String(), "type", kind, "route", refusing)
		return false, nil
	}
	f.found(NoRoute, look, "dst", q.dst.String())
	return false, nil
}

// refusing is the route to dst that says no, where no longer prefix says otherwise.
func (sp *space) refusing(dst netip.Addr) (words, kind string, ok bool, err error) {
	all, err := sp.routes(netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return "", "", false, err
	}
	longest := -1
	for _, r := range all {
		to := kernel.Prefix(r.Dst)
		if !to.Contains(dst) || to.Bits() <= longest {
			continue
		}
		switch r.Type {
		case unix.RTN_UNREACHABLE, unix.RTN_BLACKHOLE, unix.RTN_PROHIBIT:
			words, kind, ok, longest = sp.routeWords(r), iproute.RouteType(r.Type), true, to.Bits()
		}
	}
	return words, kind, ok, nil
}

// reversePath: the source is where the way back to it leads (fib_validate_source;
// facts.md, section 1: on a device without an address, loose is strict).
func (f *finder) reversePath(g *sighting, in *device) (bool, error) {
	value, err := f.inForce("rp_filter", in)
	if err != nil || value == 0 {
		return err == nil, err
	}
	r, err := lookup{space: f.space, dst: g.src}.ask()
	if err != nil {
		return false, err
	}
	if r.refused == 0 && r.dev == in {
		return true, nil
	}
	if value == 2 && r.refused == 0 {
		addrs, err := f.space.addrs(in)
		if err != nil {
			return false, err
		}
		if len(addrs) > 0 {
			return true, nil
		}
	}
	back := ""
	if r.refused == 0 {
		back = r.name()
	}
	f.found(RPFilter, f.inNS(f.space, "ip", "route", "get", g.src.String()),
		"src", g.src.String(), "dev", in.Name, "value", decimal(value), "back", back)
	return false, nil
}

// neighbour: the MAC of the next hop is known.
func (f *finder) neighbour(d *device, addr netip.Addr) (bool, error) {
	if d == nil || !d.resolves() {
		return true, nil
	}
	e, err := d.neighbour(addr)
	if err != nil {
		return false, err
	}
	asked := f.asked(d, addr)
	if e.mac != "" || e.state == 0 && !asked {
		return true, nil
	}
	if ok, err := f.reachable(d, addr); err != nil || !ok {
		return ok, err
	}
	values := []string{"addr", addr.String(), "dev", d.Name, "state", e.stateWord()}
	if asked {
		values = append(values, "asked", "yes")
	}
	more, look, err := f.unproxied(d, addr)
	if err != nil {
		return false, err
	}
	if look == nil {
		look = f.inNS(f.space, "ip", "neigh", "show", "to", addr.String(), "dev", d.Name)
	}
	f.found(NoNeighbour, look, append(values, more...)...)
	return false, nil
}

// echoes: echo requests are answered here.
func (f *finder) echoes() (bool, error) {
	if f.protocol() != unix.IPPROTO_ICMP {
		return true, nil
	}
	const key = "net/ipv4/icmp_echo_ignore_all"
	ignored, err := f.number(key)
	if err != nil || ignored == 0 {
		return err == nil, err
	}
	f.found(EchoIgnored, f.inNS(f.space, "sysctl", sysctlName(key)), "key", key)
	return false, nil
}

// inForce is the greater of a sysctl's values for all devices and for one
// (IN_DEV_MAXCONF, linux/inetdevice.h).
func (f *finder) inForce(name string, d *device) (int, error) {
	all, err := f.number("net/ipv4/conf/all/" + name)
	if err != nil {
		return 0, err
	}
	own, err := f.number("net/ipv4/conf/" + d.Name + "/" + name)
	return max(all, own), err
}

// number reads a sysctl.
func (f *finder) number(key string) (int, error) { return f.space.number(key) }

func (sp *space) number(key string) (int, error) {
	value, err := sp.sysctl(key)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, c := range value {
		if c < '0' || c > '9' {
			return 0, errors.New("sysctl " + key + " is not a number: " + value)
		}
		n = 10*n + int(c-'0')
	}
	return n, nil
}

// sysctlName is a key as sysctl(8) takes it: with dots, unless a device's name has one.
func sysctlName(key string) string {
	if strings.Contains(key, ".") {
		return key
	}
	return strings.ReplaceAll(key, "/", ".")
}
