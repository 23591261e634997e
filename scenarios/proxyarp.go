package scenarios

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/cause"
	"netlab/lab/op"
	"netlab/lab/probe"
)

// ProxyARP is a pod whose gateway exists nowhere: the host answers ARP for it
// and routes what the pod then sends, as Calico wires its workloads.
func ProxyARP() Scenario {
	return Scenario{
		Name: "proxyarp",
		Params: []Param{
			{Name: "namespace", Default: "ns1"},
			{Name: "host-link", Default: "veth"},
			{Name: "pod-link", Default: "c-eth0"},
			{Name: "subnet", Default: "1.1.1.0/24"},
			{Name: "gateway", Default: "169.254.1.1"},
			{Name: "outside"},
			{Name: "nat", Default: "auto"},
		},
		Check: checkProxyARP,
		Steps: func(s Setting) []lab.Step { return newProxyARP(s).steps() },
		Needs: func(v Values) Needs {
			return Needs{
				Namespace: v["namespace"], Links: []string{v["host-link"], v["pod-link"]},
				Subnet: v["subnet"], Gateway: v["gateway"], Outside: v["outside"],
			}
		},
		Words: func(s Setting) map[string]string { return newProxyARP(s).words() },
		Home:  func(v Values) string { return v["namespace"] },
		Path:  func(s Setting, stepID string) cause.Path { return newProxyARP(s).path(stepID) },
	}
}

func checkProxyARP(v Values) error {
	for _, param := range []string{"namespace", "host-link", "pod-link"} {
		if err := checkName(param, v[param]); err != nil {
			return err
		}
	}
	if v["host-link"] == v["pod-link"] {
		return badValue("pod-link", v["pod-link"], "same-name")
	}
	subnet, err := checkSubnet("subnet", v["subnet"])
	if err != nil {
		return err
	}
	gateway, err := checkAddr("gateway", v["gateway"])
	if err != nil {
		return err
	}
	if subnet.Contains(gateway) {
		return badValue("gateway", v["gateway"], "gateway-inside", "subnet", v["subnet"])
	}
	if v["outside"] != "" {
		outside, err := checkAddr("outside", v["outside"])
		if err != nil {
			return err
		}
		if subnet.Contains(outside) || outside == gateway {
			return badValue("outside", v["outside"], "outside-inside")
		}
	}
	switch v["nat"] {
	case "auto", "iptables", "nftables":
		return nil
	}
	return badValue("nat", v["nat"], "one-of", "known", "auto, iptables, nftables")
}

// proxyARP is the scenario with everything chosen.
type proxyARP struct {
	ns, hostLink, podLink      string
	subnet, address            netip.Prefix
	gateway, outside, hostAddr netip.Addr
	owner                      string
	facts                      lab.Facts
}

func newProxyARP(s Setting) proxyARP {
	v := s.Values
	p := proxyARP{
		ns: v["namespace"], hostLink: v["host-link"], podLink: v["pod-link"],
		subnet:  netip.MustParsePrefix(v["subnet"]),
		gateway: netip.MustParseAddr(v["gateway"]),
		owner:   s.Lab,
		facts:   s.Facts,
	}
	// Neither is known where there is no default route; the lab is refused there.
	p.outside, _ = netip.ParseAddr(s.Facts.Outside)
	p.hostAddr, _ = netip.ParseAddr(s.Facts.HostAddr)
	pod := p.subnet.Addr().Next().Next() // the article's 1.1.1.2
	p.address = netip.PrefixFrom(pod, p.subnet.Bits())
	return p
}

func (p proxyARP) steps() []lab.Step {
	defaultRoute := op.RouteAdd{NS: p.ns, Dst: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: p.gateway, Dev: p.podLink}
	return []lab.Step{
		{
			ID:     "namespace",
			Ops:    []lab.Op{op.NetnsAdd{Name: p.ns}},
			Checks: []lab.Check{{ID: "own-stack", Probe: probe.Netns{Name: p.ns}}},
		},
		{
			ID:     "veth",
			Ops:    p.wire(),
			Checks: []lab.Check{{ID: "link-up", Probe: probe.LinkUp{NS: p.ns, Link: p.podLink, Addr: p.address}}},
		},
		{
			ID:       "routes",
			Refusals: []lab.Refusal{{ID: "wrong-order", Op: defaultRoute, Errno: unix.ENETUNREACH}},
			Ops: []lab.Op{
				op.RouteAdd{NS: p.ns, Dst: netip.PrefixFrom(p.gateway, 32), Dev: p.podLink, Scope: "link"},
				defaultRoute,
			},
			Checks: []lab.Check{{ID: "way-out", Before: true, Probe: probe.RouteGet{
				NS: p.ns, Dst: p.outside, WantVia: p.gateway, WantDev: p.podLink,
			}}},
		},
		{
			ID: "forwarding",
			Ops: []lab.Op{
				op.SysctlSet{Key: "net/ipv4/ip_forward", Value: "1"},
				// Already so, unless the host's default for new devices says otherwise.
				op.SysctlSet{Key: "net/ipv4/conf/" + p.hostLink + "/forwarding", Value: "1"},
			},
			Checks: []lab.Check{{ID: "forwards", Before: true, Probe: probe.Forwards{
				Src: p.address.Addr(), Dst: p.outside, Iif: p.hostLink,
			}}},
		},
		p.proxyStep(),
		p.returnStep(),
		{
			ID:     "masquerade",
			Ops:    p.masquerade(),
			Checks: p.outsideChecks(),
		},
	}
}

// wire makes the veth pair side by side and moves one end, as the article does.
// A move resets a device's sysctls, so they are set after it.
func (p proxyARP) wire() []lab.Op {
	quiet := func(ns, link string) []lab.Op {
		if !p.facts.IPv6 {
			return nil
		}
		return []lab.Op{op.SysctlSet{NS: ns, Key: "net/ipv6/conf/" + link + "/disable_ipv6", Value: "1"}}
	}
	ops := []lab.Op{op.VethAdd{Name: p.hostLink, Peer: p.podLink}}
	ops = append(ops, quiet("", p.hostLink)...)
	ops = append(ops,
		op.LinkSetUp{Name: p.hostLink},
		op.LinkSetNetns{Name: p.podLink, To: p.ns},
	)
	ops = append(ops, quiet(p.ns, p.podLink)...)
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
			Comment: p.comment(), Jump: "MASQUERADE", NFT: p.facts.IptablesNFT,
		}}
	}
	const family, chain = "ip", "postrouting"
	table := "netlab-" + p.owner
	return []lab.Op{
		op.NftTableAdd{Family: family, Table: table},
		op.NftChainAdd{
			Family: family, Table: table, Chain: chain,
			Type: "nat", Hook: "postrouting", Priority: 100, Policy: "accept",
		},
		op.NftRuleAdd{Family: family, Table: table, Chain: chain, Saddr: p.subnet, Comment: p.comment()},
	}
}

// comment marks a rule as this lab's. Without an owner it is empty: any will do.
func (p proxyARP) comment() string {
	if p.owner == "" {
		return ""
	}
	return "netlab:" + p.owner
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

// path: each step's checks prove one goal more.
func (p proxyARP) path(stepID string) cause.Path {
	goals := map[string]cause.Goal{
		"namespace": cause.Namespace, "veth": cause.Link, "routes": cause.Route, "forwarding": cause.Forward,
		"proxy-arp": cause.Gateway, "return-route": cause.Host, "masquerade": cause.Outside,
	}
	if p.owner == "" && p.facts.Firewall == "nftables" {
		p.owner = "proxyarp" // made by hand, and to be repaired by a table of some name
	}
	return cause.Path{
		NS: p.ns, Dev: p.podLink, HostDev: p.hostLink, Uplink: p.facts.Uplink,
		Pod: p.address, Subnet: p.subnet, Gateway: p.gateway, Outside: p.outside, HostAddr: p.hostAddr,
		Masquerade: p.masquerade(), Goal: goals[stepID],
	}
}

func (p proxyARP) words() map[string]string {
	return map[string]string{
		"namespace": p.ns, "host-link": p.hostLink, "pod-link": p.podLink,
		"subnet": p.subnet.String(), "address": p.address.String(), "pod": p.address.Addr().String(),
		"gateway": p.gateway.String(), "outside": p.facts.Outside, "host-addr": p.facts.HostAddr,
		"uplink": p.facts.Uplink,
	}
}
