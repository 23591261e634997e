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
				Namespaces: []string{v["namespace"]}, NameParam: "namespace",
				Links:  []string{v["host-link"], v["pod-link"]},
				Subnet: v["subnet"], SubnetParam: "subnet",
				Gateway: v["gateway"], Outside: v["outside"], DefaultRoute: true,
			}
		},
		Words: func(s Setting) map[string]string { return newProxyARP(s).words() },
		Home:  func(v Values) string { return v["namespace"] },
		Path:  func(s Setting, stepID string) cause.Path { return newProxyARP(s).path(stepID) },
		Variations: []Variation{
			sysctl("conf", "proxy_arp", "1", "0"), sysctl("neigh", "proxy_delay", "0", "10", "80"), sysctl("conf", "forwarding", "1", "0"),
			podPrefix("24", "32"), routeOrder(), linkScope(),
			rpFilter(), forwardPolicy(), defaultRoute(), hostForwards(),
			parameter("subnet"), parameter("gateway"), parameter("nat"),
		},
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
	defaultRoute := op.RouteAdd{NS: p.ns, Dst: anywhere(), Via: p.gateway, Dev: p.podLink}
	steps := []lab.Step{
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
				op.RouteAdd{NS: p.ns, Dst: single(p.gateway), Dev: p.podLink, Scope: "link"},
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
			Notes: walled(p.facts.Walls),
		},
		p.proxyStep(),
		p.returnStep(),
	}
	steps = append(steps, p.acceptStep()...)
	return append(steps, lab.Step{
		ID:     "masquerade",
		Ops:    p.masquerade(),
		Checks: p.outsideChecks(),
	})
}

// path: each step's checks prove one goal more.
func (p proxyARP) path(stepID string) cause.Path {
	goals := map[string]cause.Goal{
		"namespace": cause.Namespace, "veth": cause.Link, "routes": cause.Route, "forwarding": cause.Forward,
		"proxy-arp": cause.Gateway, "return-route": cause.Host, acceptStep: cause.Outside, "masquerade": cause.Outside,
	}
	if p.owner == "" && p.facts.Firewall == "nftables" {
		p.owner = "proxyarp" // made by hand, and to be repaired by a table of some name
	}
	path := cause.Path{
		NS: p.ns, Dev: p.podLink, HostDev: p.hostLink, Uplink: p.facts.Uplink,
		Pod: p.address, Subnet: p.subnet, Gateway: p.gateway, Outside: p.outside, HostAddr: p.hostAddr,
		Masquerade: p.masquerade(), Goal: goals[stepID],
	}
	if stepID == acceptStep { // to be translated later
		path.Masquerade = nil
	}
	return path
}

func (p proxyARP) words() map[string]string {
	return map[string]string{
		"namespace": p.ns, "host-link": p.hostLink, "pod-link": p.podLink,
		"subnet": p.subnet.String(), "address": p.address.String(), "pod": p.address.Addr().String(),
		"gateway": p.gateway.String(), "outside": p.facts.Outside, "host-addr": p.facts.HostAddr,
		"uplink": p.facts.Uplink, "door": doors(p.facts.Walls),
	}
}
