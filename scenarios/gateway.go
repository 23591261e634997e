package scenarios

import (
	"net/netip"

	"netlab/lab"
	"netlab/lab/cause"
	"netlab/lab/machine"
)

// Gateway is the riddle of a Calico pod's gateway: an address that answers arping
// and no ping, and that no interface has. It takes away the host's default route,
// so it runs in sandboxes only.
func Gateway() Scenario {
	return Scenario{
		Name: "gateway",
		Params: []Param{
			{Name: "namespace", Default: "pod1"},
			{Name: "pod-address", Default: "10.244.244.67"},
			{Name: "gateway", Default: "169.254.1.1"},
		},
		Sandboxed: true,
		Check:     checkGateway,
		Steps:     func(s Setting) []lab.Step { return newGateway(s).steps() },
		Needs: func(v Values) Needs {
			g := newGateway(Setting{Values: v})
			return Needs{
				Namespaces: []string{g.ns}, NameParam: "namespace", Links: []string{g.hostLink},
				Subnet: g.pod.String(), SubnetParam: "pod-address",
				Gateway: v["gateway"], DefaultRoute: true,
			}
		},
		Words: func(s Setting) map[string]string { return newGateway(s).words() },
		Home:  func(v Values) string { return v["namespace"] },
		Path:  func(s Setting, stepID string) cause.Path { return newGateway(s).path(stepID) },
		Variations: []Variation{
			sysctl("conf", "proxy_arp", "1", "0"), sysctl("neigh", "proxy_delay", "0", "10", "80"), sysctl("conf", "forwarding", "1", "0"),
			routeOrder(), linkScope(),
			rpFilter(), forwardPolicy(), hostForwards(),
			parameter("gateway"),
		},
	}
}

func checkGateway(v Values) error {
	if err := checkName("namespace", v["namespace"]); err != nil {
		return err
	}
	for _, param := range []string{"pod-address", "gateway"} {
		addr, err := checkAddr(param, v[param])
		if err != nil {
			return err
		}
		if inWorld(addr) {
			return badValue(param, v[param], "in-sandbox")
		}
	}
	if v["pod-address"] == v["gateway"] {
		return badValue("gateway", v["gateway"], "gateway-is-pod")
	}
	return nil
}

// inWorld tells whether a sandbox has another way to an address than its default
// route.
func inWorld(addr netip.Addr) bool {
	return netip.MustParsePrefix(machine.UplinkPrefix).Contains(addr) || netip.MustParsePrefix(machine.ServerPrefix).Contains(addr)
}

// gateway is the scenario with everything chosen. The pod's own end is podLink.
type gateway struct {
	ns, hostLink string
	pod          netip.Prefix // one address
	addr         netip.Addr   // the gateway's
	outside      netip.Addr
	owner        string
	facts        lab.Facts
}

// newGateway expects values that checkGateway accepts.
func newGateway(s Setting) gateway {
	g := gateway{
		ns: s.Values["namespace"], hostLink: caliLink(s.Values["namespace"]),
		pod:   single(netip.MustParseAddr(s.Values["pod-address"])),
		addr:  netip.MustParseAddr(s.Values["gateway"]),
		owner: s.Lab, facts: s.Facts,
	}
	// A host whose default route is gone, as by the lab's last step done by hand,
	// has no Outside; any address beyond it then asks the pod's routes as well.
	var err error
	if g.outside, err = netip.ParseAddr(s.Facts.Outside); err != nil {
		g.outside = netip.MustParseAddr(machine.Server)
	}
	return g
}

// path: a step whose checks hold only without an answer has no way to look for.
func (g gateway) path(stepID string) cause.Path {
	p := cause.Path{
		NS: g.ns, Dev: podLink, HostDev: g.hostLink, Uplink: g.facts.Uplink,
		Pod: g.pod, Subnet: g.pod, Gateway: g.addr, Outside: g.outside, Goal: cause.Namespace,
	}
	switch stepID {
	case "wires":
		p.Goal = cause.Route
	case "answer", "riddle", "unassign":
		p.Goal = cause.Gateway
	case acceptStep:
		p.Goal = cause.Outside
	case "assign":
		p.Goal, p.HostAddr = cause.Host, g.addr
	}
	return p
}

func (g gateway) words() map[string]string {
	return map[string]string{
		"namespace": g.ns, "host-link": g.hostLink, "pod-link": podLink, "host-mac": calicoMAC,
		"pod": g.pod.Addr().String(), "address": g.pod.String(), "gateway": g.addr.String(),
		"outside": g.outside.String(), "host-addr": g.facts.HostAddr, "uplink": g.facts.Uplink,
		"door": doors(g.facts.Walls),
	}
}
