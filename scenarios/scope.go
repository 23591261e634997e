package scenarios

import (
	"net/netip"
	"slices"

	"netlab/lab"
)

// Scope is about what a route's scope is: how far away its destination is. One
// namespace gets routes, right ones and wrong ones.
func Scope() Scenario {
	return Scenario{
		Name: "scope",
		Params: []Param{
			{Name: "namespace", Default: "ns1"},
			{Name: "host-link", Default: "veth"},
			{Name: "pod-link", Default: "c-eth0"},
			{Name: "subnet", Default: "1.1.1.0/24"},
			{Name: "gateway", Default: "169.254.1.1"},
		},
		Check: checkScope,
		Steps: func(s Setting) []lab.Step { return newScope(s).steps() },
		Needs: func(v Values) Needs {
			return Needs{Namespaces: []string{v["namespace"]}, NameParam: "namespace", Links: []string{v["host-link"]}}
		},
		Words: func(s Setting) map[string]string { return newScope(s).words() },
		Home:  func(v Values) string { return v["namespace"] },
		Variations: []Variation{
			parameter("subnet"),
		},
	}
}

func checkScope(v Values) error {
	for _, param := range []string{"namespace", "host-link", "pod-link"} {
		if err := checkName(param, v[param]); err != nil {
			return err
		}
	}
	if v["pod-link"] == "lo" {
		return badValue("pod-link", v["pod-link"], "name-lo")
	}
	subnet, err := checkSubnet("subnet", v["subnet"])
	if err != nil {
		return err
	}
	gateway, err := checkAddr("gateway", v["gateway"])
	if err != nil {
		return err
	}
	for range 3 {
		if !ordinary(gateway) || !gateway.Next().IsValid() {
			return badValue("gateway", v["gateway"], "gateway-last")
		}
		if subnet.Contains(gateway) {
			return badValue("gateway", v["gateway"], "gateway-inside", "subnet", v["subnet"])
		}
		gateway = gateway.Next()
	}
	return nil
}

// scope is the scenario with everything chosen.
type scope struct {
	ns, hostLink, podLink string
	address               netip.Prefix // of the subnet, its host bits set
	// Three gateways, by the scope of the route to each: link as it should be, wider,
	// and narrower.
	gateway, wide, narrow netip.Addr
	far, other            netip.Prefix // what lies behind the last two
	own                   netip.Addr   // is local without being an interface's
	facts                 lab.Facts
}

// newScope expects values that checkScope accepts.
func newScope(s Setting) scope {
	v := s.Values
	subnet, gateway := netip.MustParsePrefix(v["subnet"]), netip.MustParseAddr(v["gateway"])
	c := scope{
		ns: v["namespace"], hostLink: v["host-link"], podLink: v["pod-link"],
		address: netip.PrefixFrom(subnet.Addr().Next().Next(), subnet.Bits()),
		gateway: gateway, wide: gateway.Next(), narrow: gateway.Next().Next(),
		facts: s.Facts,
	}
	taken := []netip.Prefix{subnet}
	for _, a := range []netip.Addr{c.gateway, c.wide, c.narrow} {
		taken = append(taken, single(a))
	}
	// Of these (RFC 5737, RFC 1918), two are left whatever was chosen.
	free := slices.DeleteFunc([]netip.Prefix{
		netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("172.31.255.0/24"),
	}, func(p netip.Prefix) bool { return overlaps(taken, p) })
	c.far, c.other = free[0], free[1]
	for _, own := range []string{"10.9.9.9", "172.16.9.9", "192.168.9.9"} {
		if c.own = netip.MustParseAddr(own); !overlaps(taken, single(c.own)) {
			break
		}
	}
	return c
}

func overlaps(taken []netip.Prefix, p netip.Prefix) bool {
	return slices.ContainsFunc(taken, p.Overlaps)
}

func (c scope) words() map[string]string {
	return map[string]string{
		"namespace": c.ns, "host-link": c.hostLink, "pod-link": c.podLink, "uplink": c.facts.Uplink,
		"subnet": c.address.Masked().String(), "address": c.address.String(), "pod": c.address.Addr().String(),
		"broadcast": broadcast(c.address).String(),
		"gateway":   c.gateway.String(), "wide": c.wide.String(), "narrow": c.narrow.String(),
		"far": c.far.String(), "other": c.other.String(), "there": c.there().String(), "own": c.own.String(),
	}
}

// there is a host behind the narrow gateway.
func (c scope) there() netip.Addr { return c.other.Addr().Next() }
