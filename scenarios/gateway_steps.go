package scenarios

import (
	"netlab/lab"
	"netlab/lab/op"
	"netlab/lab/probe"
	"netlab/lab/trace"
)

func (g gateway) steps() []lab.Step {
	const assign, unassign, last = "assign", "unassign", "no-default-route"
	address := op.AddrAdd{Link: g.hostLink, Addr: single(g.addr)}
	steps := []lab.Step{
		{
			ID:     "pod",
			Ops:    []lab.Op{op.NetnsAdd{Name: g.ns}},
			Checks: []lab.Check{{ID: "own-stack", Probe: probe.Netns{Name: g.ns}}},
		},
		{
			ID:  "wires",
			Ops: g.wire(),
			Checks: []lab.Check{
				{ID: "link-up", Probe: probe.LinkUp{NS: g.ns, Link: podLink, Addr: g.pod}},
				{ID: "way-out", Before: true, Probe: probe.RouteGet{NS: g.ns, Dst: g.outside, WantVia: g.addr, WantDev: podLink}},
				g.wayIn(),
			},
		},
		{
			// The route back is there, so it makes no difference what rp_filter says.
			ID: "answer",
			Ops: []lab.Op{
				op.SysctlSet{Key: "net/ipv4/ip_forward", Value: "1"},
				op.SysctlSet{Key: "net/ipv4/conf/" + g.hostLink + "/forwarding", Value: "1"},
				op.SysctlSet{Key: "net/ipv4/conf/" + g.hostLink + "/proxy_arp", Value: "1"},
				op.SysctlSet{Key: "net/ipv4/neigh/" + g.hostLink + "/proxy_delay", Value: "0"},
			},
			Checks: []lab.Check{{ID: "gateway-answers", Before: true, Until: last, Probe: probe.Neighbour{
				NS: g.ns, Dev: podLink, Target: g.addr, WantDev: g.hostLink,
			}}},
		},
	}
	if len(g.facts.Walls) > 0 {
		// Nothing comes back from outside: nobody there has a route to the pod.
		steps = append(steps, lab.Step{
			ID: acceptStep, Ops: accept(g.facts.Walls, g.owner, []string{"-i", g.hostLink}),
			Checks: []lab.Check{{ID: "let-out", Before: true, Until: last, Probe: probe.Leaves{
				NS: g.ns, Dst: g.outside, Uplink: g.facts.Uplink, WantSrc: g.pod.Addr(),
			}}},
		})
	}
	return append(steps, []lab.Step{
		{
			ID: "riddle",
			Checks: []lab.Check{
				g.nowhere(assign),
				{ID: "arp-way", Until: last, Probe: trace.Path{NS: g.ns, Dst: g.addr, ARP: true}},
				{ID: "ping-way", Until: assign, Probe: trace.Path{NS: g.ns, Dst: g.addr, Upstream: g.facts.Uplink}},
			},
		},
		{
			ID:  assign,
			Ops: []lab.Op{address},
			Checks: []lab.Check{
				{ID: "ping-answered", Before: true, Until: unassign, Probe: probe.Ping{NS: g.ns, Dst: g.addr, WantTTL: 64}},
				{ID: "ping-ends", Until: unassign, Probe: trace.Path{NS: g.ns, Dst: g.addr, WantTTL: 64}},
			},
		},
		{
			// With its last address the host's end loses its routes (fib_inetaddr_event).
			ID:  unassign,
			Ops: []lab.Op{op.AddrDel(address), g.wayBack()},
			Checks: []lab.Check{
				again(g.nowhere("")),
				{ID: "way-in", Probe: g.wayIn().Probe},
				{ID: "unanswered", Before: true, Until: last, Probe: probe.Unanswered{NS: g.ns, Dst: g.addr, Uplink: g.facts.Uplink}},
			},
		},
		{
			ID:  last,
			Ops: []lab.Op{op.RouteDelAny{Dst: anywhere(), Dev: g.facts.Uplink}},
			Checks: []lab.Check{{ID: "gateway-silent", Before: true, Probe: trace.Path{
				NS: g.ns, Dst: g.addr, ARP: true, WantReason: trace.NobodyHas,
			}}},
		},
	}...)
}

// wire is in the order of Calico's plugin, and of Felix for the route back.
func (g gateway) wire() []lab.Op {
	ops := append(calicoCable(g.facts, g.hostLink, g.ns), calicoInside(g.ns, g.addr, g.pod)...)
	return append(ops, g.wayBack())
}

func (g gateway) wayBack() op.RouteAdd {
	return op.RouteAdd{Dst: g.pod, Dev: g.hostLink, Scope: "link"}
}

func (g gateway) wayIn() lab.Check {
	return lab.Check{ID: "way-in", Before: true, Probe: probe.RouteGet{Dst: g.pod.Addr(), WantDev: g.hostLink}}
}

func (g gateway) nowhere(until string) lab.Check {
	return lab.Check{ID: "nowhere", Until: until, Probe: probe.Nowhere{Addr: g.addr, Spaces: []string{g.ns}}}
}

// again is a check that held before, and in between did not.
func again(c lab.Check) lab.Check {
	c.Before = true
	return c
}
