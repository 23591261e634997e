package scenarios

import (
	"net/netip"

	"netlab/lab"
	"netlab/lab/op"
	"netlab/lab/probe"
)

// wire makes the veth pair side by side and moves one end, as the article does.
// A move resets a device's sysctls, so they are set after it.
func (p proxyARP) wire() []lab.Op {
	ops := []lab.Op{op.VethAdd{Name: p.hostLink, Peer: p.podLink}}
	ops = append(ops, quiet(p.facts, "", p.hostLink)...)
	ops = append(ops,
		op.LinkSetUp{Name: p.hostLink},
		op.LinkSetNetns{Name: p.podLink, To: p.ns},
	)
	ops = append(ops, quiet(p.facts, p.ns, p.podLink)...)
	return append(ops,
		op.LinkSetUp{NS: p.ns, Name: p.podLink},
		op.AddrAdd{NS: p.ns, Link: p.podLink, Addr: p.address},
	)
}

// gatewayAnswers is the heart of the lab: ARP for an address that nobody has.
func (p proxyARP) gatewayAnswers() lab.Check {
	return lab.Check{ID: "gateway-answers", Before: true, Probe: probe.Neighbour{
		NS: p.ns, Dev: p.podLink, Target: p.gateway, WantDev: p.hostLink,
	}}
}

// proxyStep turns proxy ARP on. Where rp_filter is on, strict or loose, the
// kernel answers only once it has a route back to the asker (facts.md,
// section 1), so the proof is left to the step that adds the route.
func (p proxyARP) proxyStep() lab.Step {
	step := lab.Step{
		ID: "proxy-arp",
		Ops: []lab.Op{
			op.SysctlSet{Key: "net/ipv4/conf/" + p.hostLink + "/proxy_arp", Value: "1"},
			op.SysctlSet{Key: "net/ipv4/neigh/" + p.hostLink + "/proxy_delay", Value: "0"},
		},
	}
	if p.filtered() {
		step.Notes = []lab.Note{{ID: "rp-filter"}}
	} else {
		step.Checks = []lab.Check{p.gatewayAnswers()}
	}
	return step
}

func (p proxyARP) returnStep() lab.Step {
	step := lab.Step{
		ID:  "return-route",
		Ops: []lab.Op{op.RouteAdd{Dst: p.subnet, Dev: p.hostLink, Scope: "link"}},
	}
	if p.filtered() {
		step.Notes = []lab.Note{{ID: "rp-filter"}}
		step.Checks = []lab.Check{p.gatewayAnswers()}
	}
	step.Checks = append(step.Checks, lab.Check{
		ID: "host-reachable", Before: true, Probe: probe.Ping{NS: p.ns, Dst: p.hostAddr},
	})
	return step
}

func (p proxyARP) filtered() bool { return p.facts.RPFilter > 0 }

func (p proxyARP) masquerade() []lab.Op {
	if p.facts.Firewall != "nftables" {
		return []lab.Op{op.IptablesAppend{
			Table: "nat", Chain: "POSTROUTING", Match: []string{"-s", p.subnet.String()},
			Comment: mark(p.owner), Jump: "MASQUERADE", NFT: p.facts.IptablesNFT,
		}}
	}
	const family, chain = "ip", "postrouting"
	owner := p.owner
	if owner == "" { // made by hand: what netlab's own script would have made
		owner = "proxyarp"
	}
	table := "netlab-" + owner
	return []lab.Op{
		op.NftTableAdd{Family: family, Table: table},
		op.NftChainAdd{
			Family: family, Table: table, Chain: chain,
			Type: "nat", Hook: "postrouting", Priority: 100, Policy: "accept",
		},
		op.NftRuleAdd{Family: family, Table: table, Chain: chain, Saddr: p.subnet, Comment: Mark(owner)},
	}
}

// acceptStep lets the pod out, and answers to it in. It comes before masquerade: what
// the firewall has let through leaves with the pod's own address still.
func (p proxyARP) acceptStep() []lab.Step {
	if len(p.facts.Walls) == 0 {
		return nil
	}
	return []lab.Step{{
		ID:  acceptStep,
		Ops: accept(p.facts.Walls, p.owner, []string{"-i", p.hostLink}, replies(p.hostLink)),
		Checks: []lab.Check{{ID: "let-out", Before: true, Until: "masquerade", Probe: probe.Leaves{
			NS: p.ns, Dst: p.outside, Uplink: p.facts.Uplink, WantSrc: p.address.Addr(),
		}}},
	}}
}

// outsideChecks ask the outside what it saw, where somebody there can tell;
// elsewhere they watch what leaves the host.
func (p proxyARP) outsideChecks() []lab.Check {
	server, err := netip.ParseAddrPort(p.facts.WhoAmI)
	if err != nil {
		return []lab.Check{{ID: "leaves-as-host", Before: true, Probe: probe.Leaves{
			NS: p.ns, Dst: p.outside, Uplink: p.facts.Uplink, WantSrc: p.hostAddr,
		}}}
	}
	return []lab.Check{
		{ID: "outside-answers", Before: true, Probe: probe.Ping{NS: p.ns, Dst: p.outside}},
		{ID: "outside-sees-host", Probe: probe.WhoAmI{NS: p.ns, Server: server, Want: p.hostAddr}},
	}
}
