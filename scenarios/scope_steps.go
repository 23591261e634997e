package scenarios

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/op"
	"netlab/lab/probe"
)

func (c scope) steps() []lab.Step {
	return []lab.Step{
		{
			ID:     "ground",
			Ops:    c.cable(),
			Checks: []lab.Check{{ID: "own-stack", Probe: probe.Netns{Name: c.ns}}},
		},
		{
			ID:       "address",
			Refusals: []lab.Refusal{{ID: "device-down", Op: c.toNeighbour(c.gateway), Errno: unix.ENETDOWN}},
			Ops: []lab.Op{
				op.LinkSetUp{NS: c.ns, Name: c.podLink},
				op.AddrAdd{NS: c.ns, Link: c.podLink, Addr: c.address},
			},
			Checks: c.broughtAlong(),
		},
		{
			ID: "link",
			Refusals: []lab.Refusal{
				{ID: "too-early", Op: c.behind(anywhere(), c.gateway), Errno: unix.ENETUNREACH},
				{ID: "host-bits", Op: op.RouteAdd{NS: c.ns, Dst: c.address, Dev: c.podLink}, Errno: unix.EINVAL},
			},
			Ops:    []lab.Op{c.toNeighbour(c.gateway)},
			Checks: []lab.Check{c.shows("near", probe.RouteShow{Dst: single(c.gateway), WantScope: "link"})},
		},
		{
			ID: "global",
			Refusals: []lab.Refusal{
				{ID: "twice", Op: c.toNeighbour(c.gateway), Errno: unix.EEXIST},
				{ID: "no-gateway", Op: scoped(c.behind(anywhere(), c.gateway), "host"), Errno: unix.EINVAL},
			},
			Ops: []lab.Op{c.behind(anywhere(), c.gateway)},
			Checks: []lab.Check{
				c.shows("far", probe.RouteShow{Dst: anywhere(), WantVia: c.gateway, WantScope: "global"}),
				c.byGateway("too-narrow"),
			},
		},
		{
			ID:  "too-wide",
			Ops: []lab.Op{scoped(c.toNeighbour(c.wide), "global")},
			Checks: []lab.Check{
				c.shows("claimed-far", probe.RouteShow{Dst: single(c.wide), WantScope: "global"}),
				c.goes("sent", probe.RouteGet{Dst: c.wide, WantDirect: true}),
			},
		},
		{
			ID:       "onlink",
			Refusals: []lab.Refusal{{ID: "not-near", Op: c.behind(c.far, c.wide), Errno: unix.ENETUNREACH}},
			Ops:      []lab.Op{onlink(c.behind(c.far, c.wide))},
			Checks: []lab.Check{
				c.shows("on-ones-word", probe.RouteShow{Dst: c.far, WantVia: c.wide, WantScope: "global", WantOnlink: true}),
			},
		},
		{
			// It leads elsewhere what the default route led to before.
			ID:  "too-narrow",
			Ops: []lab.Op{scoped(c.toNeighbour(c.narrow), "host"), c.behind(c.other, c.narrow)},
			Checks: []lab.Check{
				c.shows("in-print", probe.RouteShow{Dst: c.other, WantVia: c.narrow, WantScope: "global"}),
				c.goes("passed-over", probe.RouteGet{Dst: c.there(), WantDirect: true}),
			},
		},
		{
			ID:       "host",
			Refusals: []lab.Refusal{{ID: "not-so-far", Op: scoped(c.local(), "link"), Errno: unix.EINVAL}},
			// The way to oneself is through lo, which must be up for that.
			Ops: []lab.Op{op.LinkSetUp{NS: c.ns, Name: "lo"}, c.local()},
			Checks: []lab.Check{
				c.shows("own-route", probe.RouteShow{
					Dst: single(c.own), WantScope: "host", WantType: "local", WantTable: "local",
				}),
				{ID: "own-answer", Before: true, Probe: probe.Ping{NS: c.ns, Dst: c.own, WantTTL: 64}},
			},
		},
	}
}

func (c scope) cable() []lab.Op {
	ops := []lab.Op{
		op.NetnsAdd{Name: c.ns},
		op.VethAdd{Name: c.hostLink, Peer: c.podLink, PeerNS: c.ns},
	}
	ops = append(ops, quiet(c.facts, "", c.hostLink)...)
	ops = append(ops, quiet(c.facts, c.ns, c.podLink)...)
	return append(ops, op.LinkSetUp{Name: c.hostLink})
}

// broughtAlong are the routes that the kernel adds with an address (fib_add_ifaddr).
func (c scope) broughtAlong() []lab.Check {
	return []lab.Check{
		c.shows("connected", probe.RouteShow{Dst: c.address.Masked(), WantScope: "link", WantSrc: c.address.Addr()}),
		c.shows("oneself", probe.RouteShow{
			Dst: single(c.address.Addr()), WantScope: "host", WantType: "local", WantTable: "local",
		}),
		c.shows("everybody", probe.RouteShow{
			Dst: single(broadcast(c.address)), WantScope: "link", WantType: "broadcast", WantTable: "local",
		}),
	}
}

// toNeighbour is a route without a gateway, for `ip` to fill in the scope.
func (c scope) toNeighbour(addr netip.Addr) op.RouteAdd {
	return op.RouteAdd{NS: c.ns, Dst: single(addr), Dev: c.podLink}
}

func (c scope) behind(dst netip.Prefix, via netip.Addr) op.RouteAdd {
	return op.RouteAdd{NS: c.ns, Dst: dst, Via: via, Dev: c.podLink}
}

func (c scope) local() op.RouteAdd {
	return op.RouteAdd{NS: c.ns, Dst: single(c.own), Dev: "lo", Type: "local"}
}

func scoped(r op.RouteAdd, scope string) op.RouteAdd {
	r.Scope = scope
	return r
}

func onlink(r op.RouteAdd) op.RouteAdd {
	r.Onlink = true
	return r
}

// shows is a check of a route as it is printed. No device is named: `ip route show
// … dev X` would leave out the device.
func (c scope) shows(id string, p probe.RouteShow) lab.Check {
	p.NS = c.ns
	return lab.Check{ID: id, Before: true, Probe: p}
}

// goes is a check of the way of a packet over the cable.
func (c scope) goes(id string, p probe.RouteGet) lab.Check {
	p.NS, p.WantDev = c.ns, c.podLink
	return lab.Check{ID: id, Before: true, Probe: p}
}

func (c scope) byGateway(until string) lab.Check {
	check := c.goes("by-gateway", probe.RouteGet{Dst: c.there(), WantVia: c.gateway})
	check.Until = until
	return check
}
