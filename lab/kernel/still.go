package kernel

import (
	"net/netip"
	"sync/atomic"

	"github.com/vishvananda/netlink"
)

// Reading says what is read of a namespace, as bits.
type Reading uint8

// What can be read.
const (
	ReadNames  Reading = 1 << iota // which namespace a name leads to
	ReadLinks                      // links, with their state
	ReadAddrs                      // IPv4 addresses
	ReadRoutes                     // IPv4 routes
	ReadAll    = ReadNames | ReadLinks | ReadAddrs | ReadRoutes
)

// kinds is how many bits there are.
const kinds = 4

// pause is whether reads are answered from memory, and how often each kind was
// forgotten since. The zero value: every read asks the kernel.
type pause struct {
	on    atomic.Bool
	epoch [kinds]atomic.Int64
}

// Still answers what is read of namespaces from one list of each kind, which is read
// when it is first asked for, until resume is called: so many ops of one shape can be
// looked at for the price of one. What the caller changes meanwhile he must Forgo.
// It is for one caller at a time.
func (k *Kernel) Still() (resume func()) {
	k.Forgo(ReadAll)
	k.pause.on.Store(true)
	return func() {
		k.pause.on.Store(false)
		k.Forgo(ReadAll) // and gives the memory back
		k.mu.Lock()
		defer k.mu.Unlock()
		for _, n := range k.spaces {
			n.lists.clear()
		}
	}
}

// Forgo has those kinds read anew when they are asked for the next time: of the
// namespaces of those names, or where none is named, of all.
func (k *Kernel) Forgo(what Reading, names ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, name := range names {
		n := k.spaces[name]
		if n == nil {
			continue
		}
		if what&ReadNames != 0 {
			n.named = 0
		}
		n.lists.forgo(what)
	}
	if len(names) > 0 {
		return
	}
	for i := range kinds {
		if what&(1<<i) != 0 {
			k.pause.epoch[i].Add(1)
		}
	}
}

// fresh tells whether a list of that kind, read at that epoch, is good still.
func (p *pause) fresh(i int, at int64) bool { return p.on.Load() && at != 0 && at == p.epoch[i].Load() }

const (
	nameKind = iota
	linkKind
	addrKind
	routeKind
)

// Addrs lists the addresses of a link.
func (n *Namespace) Addrs(link netlink.Link, family int) ([]netlink.Addr, error) {
	if !n.pause.on.Load() || family != netlink.FAMILY_V4 {
		return Dump(func() ([]netlink.Addr, error) { return n.Netlink.AddrList(link, family) })
	}
	n.lists.mu.Lock()
	defer n.lists.mu.Unlock()
	l, epoch := &n.lists, n.pause.epoch[addrKind].Load()
	if !n.pause.fresh(addrKind, l.at[addrKind]) {
		all, err := Dump(func() ([]netlink.Addr, error) { return n.Netlink.AddrList(nil, family) })
		if err != nil {
			return nil, err
		}
		l.addrs, l.at[addrKind] = map[int][]netlink.Addr{}, epoch
		for _, a := range all {
			l.addrs[a.LinkIndex] = append(l.addrs[a.LinkIndex], a)
		}
	}
	return l.addrs[link.Attrs().Index], nil
}

// Routes lists a table; unix.RT_TABLE_UNSPEC: all of them.
func (n *Namespace) Routes(family, table int) ([]netlink.Route, error) {
	return Dump(func() ([]netlink.Route, error) {
		return n.Netlink.RouteListFiltered(family, &netlink.Route{Table: table}, netlink.RT_FILTER_TABLE)
	})
}

// RoutesTo lists a table's IPv4 routes of exactly that destination.
func (n *Namespace) RoutesTo(dst netip.Prefix, table int) ([]netlink.Route, error) {
	if !n.pause.on.Load() {
		all, err := n.Routes(netlink.FAMILY_V4, table)
		return byDestination(all)[dst], err
	}
	n.lists.mu.Lock()
	defer n.lists.mu.Unlock()
	l, epoch := &n.lists, n.pause.epoch[routeKind].Load()
	if !n.pause.fresh(routeKind, l.at[routeKind]) {
		l.routes, l.at[routeKind] = map[int]map[netip.Prefix][]netlink.Route{}, epoch
	}
	if l.routes[table] == nil {
		all, err := n.Routes(netlink.FAMILY_V4, table)
		if err != nil {
			return nil, err
		}
		l.routes[table] = byDestination(all)
	}
	return l.routes[table][dst], nil
}

func byDestination(routes []netlink.Route) map[netip.Prefix][]netlink.Route {
	to := map[netip.Prefix][]netlink.Route{}
	for _, r := range routes {
		if r.Dst != nil {
			dst := Prefix(r.Dst)
			to[dst] = append(to[dst], r)
		}
	}
	return to
}
