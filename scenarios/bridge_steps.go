package scenarios

import (
	"net/netip"
	"slices"

	"netlab/lab"
	"netlab/lab/op"
	"netlab/lab/probe"
	"netlab/lab/trace"
)

func (b bridge) steps() []lab.Step {
	steps := []lab.Step{
		{
			ID: "namespaces",
			Groups: forEach(b.pods, func(p pod) []lab.Op {
				return []lab.Op{op.NetnsAdd{Name: p.name}}
			}),
			Checks: []lab.Check{{ID: "own-stack", Probe: probe.Netns{Name: b.first().name}}},
		},
		{
			ID:     "bridge",
			Ops:    append([]lab.Op{op.BridgeAdd{Name: b.bridge}}, b.setUp("", b.bridge)...),
			Checks: []lab.Check{{ID: "switching", Before: true, Probe: probe.Bridge{Name: b.bridge}}},
		},
		{
			ID:     "cables",
			Groups: forEach(b.pods, b.cable),
			Checks: []lab.Check{{ID: "on-link", Before: true, Probe: probe.RouteGet{
				NS: b.first().name, Dst: b.second().addr, WantDev: podLink,
			}}},
		},
		b.ports(),
	}
	if b.walled() {
		// To iptables a bridged frame comes in by the bridge and goes out by it
		// (br_nf_forward_ip, net/bridge/br_netfilter_hooks.c).
		steps = append(steps, lab.Step{
			ID: acceptStep, Ops: accept(b.facts.Walls, b.owner, []string{"-i", b.bridge, "-o", b.bridge}),
			Checks: []lab.Check{b.reached()},
		})
	}
	return append(steps, lab.Step{
		ID:  "flood",
		Ops: b.plugIn(b.watch()),
		Checks: []lab.Check{{ID: "overheard", Before: true, Probe: probe.Hears{
			NS: b.watch().name, Dev: podLink, From: b.first().name, FromDev: podLink, Target: b.second().addr, Want: true,
		}}, {ID: "every-pod", Probe: probe.Ring{Pods: ring(b.pods), WantTTL: 64}}},
	})
}

// walled: what the bridge passes on is handed to a FORWARD that drops it.
func (b bridge) walled() bool { return b.facts.BridgeFirewall && len(b.facts.Walls) > 0 }

func (b bridge) reached() lab.Check {
	return lab.Check{ID: "reach", Before: true, Probe: trace.Path{NS: b.first().name, Dst: b.second().addr, WantTTL: 64}}
}

// setUp sets a link up, once it is told to keep quiet.
func (b bridge) setUp(ns, link string) []lab.Op {
	return append(quiet(b.facts, ns, link), op.LinkSetUp{NS: ns, Name: link})
}

// cable joins a pod to the host. Its own end gets an address of the subnet that
// all share, with the subnet's prefix length: so the others are on its link. It has as
// many queues as in calico, with which this lab is compared.
func (b bridge) cable(p pod) []lab.Op {
	ops := []lab.Op{op.VethAdd{Name: p.link, Peer: podLink, PeerNS: p.name, Queues: calicoQueues}}
	ops = append(ops, b.setUp("", p.link)...)
	ops = append(ops, b.setUp(p.name, podLink)...)
	return append(ops, op.AddrAdd{NS: p.name, Link: podLink, Addr: netip.PrefixFrom(p.addr, b.subnet.Bits())})
}

// plugIn makes the host's end of a pod's cable a port. A bridge that does no
// spanning tree, as is the default, sets it to forwarding at once
// (br_make_forwarding, net/bridge/br_stp.c), so nothing is to be waited for.
func (b bridge) plugIn(p pod) []lab.Op {
	return []lab.Op{op.LinkSetMaster{Name: p.link, Master: b.bridge}}
}

// ports is the heart of the lab: what was two cables that end on the host becomes
// one link.
func (b bridge) ports() lab.Step {
	first, second := b.first(), b.second()
	step := lab.Step{
		ID:     "ports",
		Groups: forEach(b.pods[:len(b.pods)-1], b.plugIn),
		Checks: []lab.Check{
			// First: before the step it leaves no question open, and after it it waits
			// for none that is, as a ping would, for a second.
			{ID: "answers", Before: true, Probe: probe.Neighbour{
				NS: first.name, Dev: podLink, Target: second.addr, WantNS: second.name, WantDev: podLink,
			}},
			{ID: "real-mac", Probe: probe.Knows{
				NS: first.name, Dev: podLink, Addr: second.addr, WantNS: second.name, WantDev: podLink,
			}},
			{ID: "learned", Before: true, Probe: probe.Learned{
				Bridge: b.bridge, OfNS: second.name, OfDev: podLink, WantPort: second.link,
			}},
		},
	}
	if b.walled() {
		step.Notes = walled(b.facts.Walls)
	} else {
		step.Checks = slices.Insert(step.Checks, 1, b.reached())
		if b.facts.BridgeFirewall {
			step.Notes = append(step.Notes, lab.Note{ID: "bridge-firewall"})
		}
	}
	if b.facts.IPForward {
		step.Notes = append(step.Notes, lab.Note{ID: "forwarding-on"})
		return step
	}
	step.Checks = append(step.Checks, lab.Check{
		ID: "no-router", Probe: probe.Sysctl{Key: "net/ipv4/ip_forward", Want: "0"},
	})
	return step
}
