package scenarios

import (
	"slices"

	"netlab/lab"
	"netlab/lab/op"
	"netlab/lab/probe"
	"netlab/lab/trace"
)

func (c calico) steps() []lab.Step {
	first, second := c.pods[0], c.pods[1]
	steps := []lab.Step{
		{
			ID: "namespaces",
			Groups: forEach(c.pods, func(p pod) []lab.Op {
				return []lab.Op{op.NetnsAdd{Name: p.name}}
			}),
			Checks: []lab.Check{{ID: "own-stack", Probe: probe.Netns{Name: first.name}}},
		},
		{
			ID:     "veth",
			Groups: forEach(c.pods, c.wire),
			Checks: []lab.Check{{ID: "link-up", Probe: probe.LinkUp{NS: first.name, Link: podLink}}},
		},
		{
			ID:     "inside",
			Groups: forEach(c.pods, c.inside),
			Checks: []lab.Check{
				{ID: "address", Before: true, Probe: probe.LinkUp{NS: first.name, Link: podLink, Addr: first.prefix()}},
				{ID: "way-out", Before: true, Probe: probe.RouteGet{
					NS: first.name, Dst: second.addr, WantVia: c.gateway, WantDev: podLink,
				}},
			},
		},
		{
			ID: "routes",
			Groups: forEach(c.pods, func(p pod) []lab.Op {
				return []lab.Op{op.RouteAdd{Dst: p.prefix(), Dev: p.link, Scope: "link"}}
			}),
			Checks: []lab.Check{{ID: "way-in", Before: true, Probe: probe.RouteGet{Dst: first.addr, WantDev: first.link}}},
		},
		{
			// Felix sets the host's switch, the plugin that of each device: already so,
			// unless the host's default for new devices says otherwise.
			ID:  "forwarding",
			Ops: []lab.Op{op.SysctlSet{Key: "net/ipv4/ip_forward", Value: "1"}},
			Groups: forEach(c.pods, func(p pod) []lab.Op {
				return []lab.Op{op.SysctlSet{Key: "net/ipv4/conf/" + p.link + "/forwarding", Value: "1"}}
			}),
			Checks: []lab.Check{{ID: "forwards", Before: true, Probe: probe.Forwards{
				Src: first.addr, Dst: second.addr, Iif: first.link,
			}}},
			Notes: walled(c.facts.Walls),
		},
		{
			// The routes back are there, so it makes no difference what rp_filter says.
			ID: "proxy-arp",
			Groups: forEach(c.pods, func(p pod) []lab.Op {
				return []lab.Op{
					op.SysctlSet{Key: "net/ipv4/conf/" + p.link + "/proxy_arp", Value: "1"},
					op.SysctlSet{Key: "net/ipv4/neigh/" + p.link + "/proxy_delay", Value: "0"},
					op.SysctlSet{Key: "net/ipv4/conf/" + p.link + "/route_localnet", Value: "1"},
				}
			}),
			Checks: c.asked(),
		},
	}
	if len(c.facts.Walls) > 0 {
		return append(steps, lab.Step{
			ID: acceptStep, Ops: accept(c.facts.Walls, c.owner, among(c.cidr)), Checks: []lab.Check{c.reached(), c.all()},
		})
	}
	last := &steps[len(steps)-1]
	last.Checks = append(slices.Insert(last.Checks, 2, c.reached()), c.all())
	return steps
}

func (c calico) wire(p pod) []lab.Op   { return calicoCable(c.facts, p.link, p.name) }
func (c calico) inside(p pod) []lab.Op { return calicoInside(p.name, c.gateway, p.prefix()) }

// reached is what the lab is for.
func (c calico) reached() lab.Check {
	return lab.Check{ID: "one-hop", Before: true, Probe: trace.Path{
		NS: c.pods[0].name, Dst: c.pods[1].addr, WantTTL: 63, Unheard: []string{c.pods[len(c.pods)-1].name},
	}}
}

// all is that it holds for every pod.
func (c calico) all() lab.Check {
	return lab.Check{ID: "every-pod", Probe: probe.Ring{Pods: ring(c.pods), Gateway: c.gateway, WantMAC: calicoMAC, WantTTL: 63}}
}

// asked is that the host answers for the gateway, on each cable.
func (c calico) asked() []lab.Check {
	first, second, watch := c.pods[0], c.pods[1], c.pods[len(c.pods)-1]
	gateway := func(id string, p pod) lab.Check {
		return lab.Check{ID: id, Before: true, Probe: probe.Neighbour{
			NS: p.name, Dev: podLink, Target: c.gateway, WantMAC: calicoMAC,
		}}
	}
	return []lab.Check{
		gateway("first-asks", first),
		gateway("second-asks", second),
		{ID: "unheard", Before: true, Probe: probe.Hears{
			NS: watch.name, Dev: podLink, From: first.name, FromDev: podLink, Target: c.gateway, Want: false,
		}},
	}
}
