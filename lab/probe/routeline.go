package probe

import (
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// routeLine is a route as `ip route show` prints it, in iproute2's order and with
// what it leaves out (print_route, ip/iproute.c); a table other than main is named,
// as with `table all`. Of a route over several next hops, which takes iproute2
// several lines, it is all in one.
func routeLine(n *kernel.Namespace, r netlink.Route) (string, error) {
	var words []string
	add := func(w ...string) { words = append(words, w...) }
	number := func(name string, value int) {
		if value != 0 {
			add(name, strconv.Itoa(value))
		}
	}
	if r.Type != unix.RTN_UNICAST {
		add(iproute.RouteType(r.Type))
	}
	add(iproute.Dst(kernel.Prefix(r.Dst)))
	if r.Tos != 0 {
		add("tos", "0x"+strconv.FormatInt(int64(r.Tos), 16))
	}
	if err := addHop(n, add, r.Gw, r.Via, r.LinkIndex); err != nil {
		return "", err
	}
	if r.Table != unix.RT_TABLE_MAIN {
		add("table", iproute.Table(r.Table))
	}
	if r.Protocol != unix.RTPROT_BOOT {
		add("proto", iproute.Proto(int(r.Protocol)))
	}
	if r.Scope != netlink.SCOPE_UNIVERSE {
		add("scope", iproute.Scope(r.Scope))
	}
	if r.Src != nil {
		add("src", r.Src.String())
	}
	number("metric", r.Priority)
	add(flagWords(r.Flags)...)
	if r.MTULock {
		number("mtu lock", r.MTU)
	} else {
		number("mtu", r.MTU)
	}
	number("advmss", r.AdvMSS)
	for _, hop := range r.MultiPath {
		add("nexthop")
		if err := addHop(n, add, hop.Gw, hop.Via, hop.LinkIndex); err != nil {
			return "", err
		}
		add("weight", strconv.Itoa(hop.Hops+1))
		add(flagWords(hop.Flags)...)
	}
	return strings.Join(words, " "), nil
}

func addHop(n *kernel.Namespace, add func(...string), gw []byte, via netlink.Destination, link int) error {
	if len(gw) > 0 {
		add("via", kernel.Addr(gw).String())
	}
	if v, ok := via.(*netlink.Via); ok {
		add("via", "inet6", v.Addr.String())
	}
	if link == 0 {
		return nil
	}
	dev, err := routeDev(n, netlink.Route{LinkIndex: link})
	if err == nil {
		add("dev", dev)
	}
	return err
}

func flagWords(flags int) []string {
	var words []string
	for _, f := range []struct {
		flag int
		word string
	}{
		{unix.RTNH_F_DEAD, "dead"}, {unix.RTNH_F_ONLINK, "onlink"}, {unix.RTNH_F_PERVASIVE, "pervasive"},
		{unix.RTNH_F_OFFLOAD, "offload"}, {unix.RTNH_F_TRAP, "trap"}, {unix.RTNH_F_LINKDOWN, "linkdown"},
	} {
		if flags&f.flag != 0 {
			words = append(words, f.word)
		}
	}
	return words
}
