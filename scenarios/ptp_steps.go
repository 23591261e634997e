package scenarios

import (
	"net/netip"

	"netlab/lab"
	"netlab/lab/op"
	"netlab/lab/probe"
	"netlab/lab/trace"
)

func (s ptp) steps() []lab.Step {
	first, second := s.pods[0], s.pods[1]
	gateway := single(s.gateway)
	steps := []lab.Step{
		{
			ID: "namespaces",
			Groups: forEach(s.pods, func(p pod) []lab.Op {
				return []lab.Op{op.NetnsAdd{Name: p.name}}
			}),
			Checks: []lab.Check{{ID: "own-stack", Probe: probe.Netns{Name: first.name}}},
		},
		{
			ID:     "veth",
			Groups: forEach(s.pods, s.wire),
			Checks: []lab.Check{{ID: "link-up", Probe: probe.LinkUp{NS: first.name, Link: podLink}}},
		},
		{
			// Where rp_filter is on, the host hears a pod only once it has the route.
			ID: "host",
			Groups: forEach(s.pods, func(p pod) []lab.Op {
				return []lab.Op{
					op.AddrAdd{Link: p.link, Addr: gateway},
					op.RouteAdd{Dst: p.prefix(), Dev: p.link, Scope: "host"},
				}
			}),
			Checks: []lab.Check{
				{ID: "first-end", Before: true, Probe: probe.LinkUp{Link: first.link, Addr: gateway}},
				{ID: "second-end", Before: true, Probe: probe.LinkUp{Link: second.link, Addr: gateway}},
				{ID: "way-in", Before: true, Probe: probe.RouteGet{Dst: first.addr, WantDev: first.link}},
			},
		},
		{
			ID:     "inside",
			Groups: forEach(s.pods, s.inside),
			Checks: []lab.Check{
				{ID: "gateway-answers", Probe: probe.Neighbour{
					NS: first.name, Dev: podLink, Target: s.gateway, WantDev: first.link,
				}},
				{ID: "no-proxy", Probe: probe.Sysctl{Key: "net/ipv4/conf/" + first.link + "/proxy_arp", Want: "0"}},
				{ID: "gateway-pings", Before: true, Probe: probe.Ping{NS: first.name, Dst: s.gateway, WantTTL: 64}},
			},
		},
		{
			ID:     "reroute",
			Groups: forEach(s.pods, s.reroute),
			Checks: []lab.Check{{ID: "way-over", Before: true, Probe: probe.RouteGet{
				NS: first.name, Dst: second.addr, WantVia: s.gateway, WantDev: podLink,
			}}},
		},
	}
	return append(steps, s.forwarding()...)
}

// forwarding is one step where the host's firewall lets pass what the host forwards,
// and else two.
func (s ptp) forwarding() []lab.Step {
	first, second, watch := s.pods[0], s.pods[1], s.pods[len(s.pods)-1]
	reached := []lab.Check{{ID: "one-hop", Before: true, Probe: trace.Path{
		NS: first.name, Dst: second.addr, WantTTL: 63, Unheard: []string{watch.name},
	}}}
	forwards := []lab.Check{{ID: "forwards", Before: true, Probe: probe.Forwards{
		Src: first.addr, Dst: second.addr, Iif: first.link,
	}}}
	step := lab.Step{ID: "forwarding", Ops: []lab.Op{op.SysctlSet{Key: "net/ipv4/ip_forward", Value: "1"}}}
	if len(s.facts.Walls) == 0 {
		step.Checks = reached
		return []lab.Step{step}
	}
	step.Checks, step.Notes = forwards, walled(s.facts.Walls)
	return []lab.Step{step, {ID: acceptStep, Ops: accept(s.facts.Walls, s.owner, among(s.subnet)), Checks: reached}}
}

// wire makes a pod's cable, the pod's end in place. The plugin takes no IPv6
// routes from a pod; quiet goes further.
func (s ptp) wire(p pod) []lab.Op {
	ops := []lab.Op{op.VethAdd{Name: p.link, Peer: podLink, PeerNS: p.name}}
	if s.facts.IPv6 {
		ops = append(ops, op.SysctlSet{Key: "net/ipv6/conf/" + p.link + "/accept_ra", Value: "0"})
	}
	ops = append(ops, quiet(s.facts, "", p.link)...)
	ops = append(ops, quiet(s.facts, p.name, podLink)...)
	return append(ops, op.LinkSetUp{Name: p.link}, op.LinkSetUp{NS: p.name, Name: podLink})
}

// inside is what any CNI plugin does with what an address manager such as
// host-local hands it: an address of the subnet, and a default route.
func (s ptp) inside(p pod) []lab.Op {
	return []lab.Op{
		op.AddrAdd{NS: p.name, Link: podLink, Addr: s.address(p), Broadcast: broadcast(s.subnet)},
		op.RouteAdd{NS: p.name, Dst: anywhere(), Via: s.gateway, Dev: podLink},
	}
}

// reroute puts two routes in the place of the one that came with the address.
func (s ptp) reroute(p pod) []lab.Op {
	return []lab.Op{
		op.RouteDel{NS: p.name, Dst: s.subnet, Dev: podLink, Scope: "link", Src: p.addr, Proto: "kernel"},
		op.RouteAdd{NS: p.name, Dst: single(s.gateway), Dev: podLink, Scope: "link", Src: p.addr},
		op.RouteAdd{NS: p.name, Dst: s.subnet, Via: s.gateway, Dev: podLink, Src: p.addr},
	}
}

// broadcast is a subnet's last address.
func broadcast(subnet netip.Prefix) netip.Addr {
	last := subnet.Masked().Addr().As4()
	for bit := subnet.Bits(); bit < 32; bit++ {
		last[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(last)
}
