package trace

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
)

// lookup is one question to a namespace's routing: a packet to dst, from src where
// that is valid, which came in on iif, or was made here where that is nil.
type lookup struct {
	space    *space
	dst, src netip.Addr
	iif      *device
}

// found is the answer.
type found struct {
	refused syscall.Errno // 0: there is a way
	local   bool
	dev     *device
	via     netip.Addr // the zero Addr when on-link
	src     netip.Addr // that the kernel would send from
	table   int
	words   string // the entry that matched, as `ip route` prints it
}

// next is the address whose MAC is needed.
func (f found) next(dst netip.Addr) netip.Addr {
	if f.via.IsValid() {
		return f.via
	}
	return dst
}

// ask looks the route up, and the entry that it comes from (RTM_F_FIB_MATCH,
// Linux 4.13).
func (q lookup) ask() (found, error) {
	var o netlink.RouteGetOptions
	if q.src.IsValid() {
		o.SrcAddr = q.src.AsSlice()
	}
	if q.iif != nil {
		o.IifIndex = q.iif.Index
	}
	routes, err := q.space.n.Netlink.RouteGetWithOptions(q.dst.AsSlice(), &o)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return found{refused: errno}, nil
	}
	if err != nil || len(routes) == 0 {
		return found{}, fmt.Errorf("look up the route to %s in %s: %w", q.dst, q.space.n, err)
	}
	r := routes[0]
	f := found{local: r.Type == unix.RTN_LOCAL || r.Type == unix.RTN_BROADCAST, via: addrOf(r.Gw), src: addrOf(r.Src), table: r.Table}
	if f.dev, err = q.space.device(r.LinkIndex); err != nil {
		return found{}, err
	}
	o.FIBMatch = true
	if matched, err := q.space.n.Netlink.RouteGetWithOptions(q.dst.AsSlice(), &o); err == nil && len(matched) > 0 {
		f.table = matched[0].Table
		f.words = q.space.routeWords(matched[0])
	}
	return f, nil
}

// decision is lab.DecideRoute; chosen: the sender's address was, too.
func (f found) decision(chosen bool) lab.Decision {
	v := map[string]string{"route": f.words, "dev": f.name()}
	if f.via.IsValid() {
		v["via"] = f.via.String()
	}
	if t := tableWord(f.table); t != "" {
		v["table"] = t
	}
	if chosen && f.src.IsValid() {
		v["src"] = f.src.String()
	}
	return lab.Decision{Kind: lab.DecideRoute, Values: v}
}

func (f found) name() string {
	if f.dev == nil {
		return ""
	}
	return f.dev.Name
}

// tableWord is empty for main (rtnetlink(7)).
func tableWord(t int) string {
	switch t {
	case unix.RT_TABLE_MAIN, unix.RT_TABLE_UNSPEC:
		return ""
	case unix.RT_TABLE_LOCAL:
		return "local"
	case unix.RT_TABLE_DEFAULT:
		return "default"
	}
	return strconv.Itoa(t)
}

// typeWord is the type of a route as ip-route(8) has it, empty for unicast.
func typeWord(t int) string {
	return map[int]string{
		unix.RTN_LOCAL: "local", unix.RTN_BROADCAST: "broadcast", unix.RTN_MULTICAST: "multicast",
		unix.RTN_UNREACHABLE: "unreachable", unix.RTN_BLACKHOLE: "blackhole", unix.RTN_PROHIBIT: "prohibit",
		unix.RTN_THROW: "throw", unix.RTN_NAT: "nat",
	}[t]
}

// routeWords is a route as `ip route show table T` prints it, in iproute2's order
// (print_route, ip/iproute.c). A table is not part of it.
func (sp *space) routeWords(r netlink.Route) string {
	var words []string
	add := func(w ...string) { words = append(words, w...) }
	if t := typeWord(r.Type); t != "" {
		add(t)
	}
	add(prefixWords(r))
	if via := addrOf(r.Gw); via.IsValid() {
		add("via", via.String())
	}
	if d, err := sp.device(r.LinkIndex); err == nil && d != nil {
		add("dev", d.Name)
	}
	if name := protocolWord(int(r.Protocol)); name != "" {
		add("proto", name)
	}
	if s := scopeWord(r); s != "" {
		add("scope", s)
	}
	if src := addrOf(r.Src); src.IsValid() {
		add("src", src.String())
	}
	if r.Priority != 0 {
		add("metric", strconv.Itoa(r.Priority))
	}
	if r.Flags&unix.RTNH_F_ONLINK != 0 {
		add("onlink")
	}
	for _, hop := range r.MultiPath {
		add("nexthop")
		if via := addrOf(hop.Gw); via.IsValid() {
			add("via", via.String())
		}
		if d, err := sp.device(hop.LinkIndex); err == nil && d != nil {
			add("dev", d.Name)
		}
		add("weight", strconv.Itoa(hop.Hops+1))
	}
	return strings.Join(words, " ")
}

func prefixWords(r netlink.Route) string {
	if r.Dst == nil {
		return "default"
	}
	bits, _ := r.Dst.Mask.Size()
	addr := addrOf(r.Dst.IP)
	switch {
	case bits == 0:
		return "default"
	case bits == 32:
		return addr.String()
	}
	return netip.PrefixFrom(addr, bits).String()
}

// protocolWord is who made the route, empty for a person (boot), as `ip route`
// shows it (rt_protos of iproute2).
func protocolWord(p int) string {
	name, ok := map[int]string{
		unix.RTPROT_UNSPEC: "unspec", unix.RTPROT_REDIRECT: "redirect", unix.RTPROT_KERNEL: "kernel", unix.RTPROT_BOOT: "",
		unix.RTPROT_STATIC: "static", unix.RTPROT_GATED: "gated", unix.RTPROT_RA: "ra", unix.RTPROT_MRT: "mrt",
		unix.RTPROT_ZEBRA: "zebra", unix.RTPROT_BIRD: "bird", unix.RTPROT_DNROUTED: "dnrouted", unix.RTPROT_XORP: "xorp",
		unix.RTPROT_NTK: "ntk", unix.RTPROT_DHCP: "dhcp", unix.RTPROT_KEEPALIVED: "keepalived", unix.RTPROT_BABEL: "babel",
		unix.RTPROT_OPENR: "openr", unix.RTPROT_BGP: "bgp", unix.RTPROT_ISIS: "isis", unix.RTPROT_OSPF: "ospf",
		unix.RTPROT_RIP: "rip", unix.RTPROT_EIGRP: "eigrp",
	}[p]
	if !ok {
		return strconv.Itoa(p)
	}
	return name
}

// scopeWord is empty for global.
func scopeWord(r netlink.Route) string {
	switch r.Scope {
	case netlink.SCOPE_UNIVERSE:
		return ""
	case netlink.SCOPE_LINK:
		return "link"
	case netlink.SCOPE_HOST:
		return "host"
	case netlink.SCOPE_SITE:
		return "site"
	case netlink.SCOPE_NOWHERE:
		return "nowhere"
	}
	return strconv.Itoa(int(r.Scope))
}
