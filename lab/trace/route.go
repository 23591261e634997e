package trace

import (
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/iproute"
	"netlab/lab/kernel"
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
	routes, refused, err := q.space.routesTo(q.dst, &o)
	if err != nil || refused != 0 {
		return found{refused: refused}, err
	}
	r := routes[0]
	f := found{local: r.Type == unix.RTN_LOCAL || r.Type == unix.RTN_BROADCAST, via: kernel.Addr(r.Gw), src: kernel.Addr(r.Src), table: r.Table}
	if f.dev, err = q.space.device(r.LinkIndex); err != nil {
		return found{}, err
	}
	o.FIBMatch = true
	matched, refused, err := q.space.routesTo(q.dst, &o)
	if err != nil {
		return found{}, err
	}
	if refused == 0 { // one that no entry stands for, as of a broadcast, has no words
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
	if f.table != unix.RT_TABLE_MAIN && f.table != unix.RT_TABLE_UNSPEC {
		v["table"] = iproute.Table(f.table)
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

// routeWords is a route as `ip route show table T` prints it, in iproute2's order
// (print_route, ip/iproute.c). A table is not part of it.
func (sp *space) routeWords(r netlink.Route) string {
	var words []string
	add := func(w ...string) { words = append(words, w...) }
	if t := iproute.RouteType(r.Type); t != "" && r.Type != unix.RTN_UNICAST {
		add(t)
	}
	add(iproute.Dst(kernel.Prefix(r.Dst)))
	if via := kernel.Addr(r.Gw); via.IsValid() {
		add("via", via.String())
	}
	if d, err := sp.device(r.LinkIndex); err == nil && d != nil {
		add("dev", d.Name)
	}
	if r.Protocol != unix.RTPROT_BOOT {
		add("proto", iproute.Proto(int(r.Protocol)))
	}
	if r.Scope != netlink.SCOPE_UNIVERSE {
		add("scope", iproute.Scope(r.Scope))
	}
	if src := kernel.Addr(r.Src); src.IsValid() {
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
		if via := kernel.Addr(hop.Gw); via.IsValid() {
			add("via", via.String())
		}
		if d, err := sp.device(hop.LinkIndex); err == nil && d != nil {
			add("dev", d.Name)
		}
		add("weight", strconv.Itoa(hop.Hops+1))
	}
	return strings.Join(words, " ")
}
