package scenarios

import (
	"net/netip"
	"strconv"

	"netlab/lab"
	"netlab/lab/cause"
)

// mostPTPPods is bounded by the host's devices: each bears an address, and the
// kernel looks through all of them when it chooses a source (inet_select_addr).
const mostPTPPods = 1000

// PTP is several pods on one node, each wired as the CNI plugin ptp wires one
// (containernetworking/plugins, plugins/main/ptp): every packet goes by the
// gateway as with Calico, but the gateway's address is really there.
func PTP() Scenario {
	return Scenario{
		Name: "ptp",
		Params: []Param{
			{Name: "pods", Default: "2"},
			{Name: "subnet", Default: "10.1.1.0/24"},
			{Name: "prefix", Default: "pod"},
		},
		Check: checkPTP,
		Steps: func(s Setting) []lab.Step { return newPTP(s).steps() },
		Needs: func(v Values) Needs {
			p := newPTP(Setting{Values: v})
			spaces, links := names(p.pods)
			return Needs{
				Namespaces: spaces, NameParam: "prefix", Links: links,
				Subnet: p.subnet.String(), SubnetParam: "subnet",
			}
		},
		Words: func(s Setting) map[string]string { return newPTP(s).words() },
		Home:  func(v Values) string { return v["prefix"] + "1" },
		Talk:  func(v Values) Talk { return talk(newPTP(Setting{Values: v}).pods) },
		Path:  func(s Setting, stepID string) cause.Path { return newPTP(s).path(stepID) },
		Variations: []Variation{
			podPrefix("24", "32"), rpFilter(), forwardPolicy(), defaultRoute(), hostForwards(),
			parameter("pods"), parameter("subnet"),
		},
	}
}

func checkPTP(v Values) error {
	if _, err := checkCount("pods", v["pods"], mostPTPPods); err != nil {
		return err
	}
	if err := checkPrefix("prefix", v["prefix"], mostPTPPods); err != nil {
		return err
	}
	_, err := checkSubnet("subnet", v["subnet"])
	return err
}

// ptp is the scenario with everything chosen.
type ptp struct {
	pods    []pod // the last one is the bystander
	subnet  netip.Prefix
	gateway netip.Addr
	owner   string
	facts   lab.Facts
}

// newPTP expects values that checkPTP accepts. The subnet's first address is the
// gateway's, as host-local, the usual address manager beside ptp, has it.
func newPTP(s Setting) ptp {
	count, _ := strconv.Atoi(s.Values["pods"])
	subnet := widen(netip.MustParsePrefix(s.Values["subnet"]), count+2)
	gateway := subnet.Addr().Next()
	return ptp{
		pods:   makePods(s.Values["prefix"], count, netip.PrefixFrom(gateway, subnet.Bits()), vethLink),
		subnet: subnet, gateway: gateway, owner: s.Lab, facts: s.Facts,
	}
}

// address is a pod's address with the subnet's prefix length.
func (s ptp) address(p pod) netip.Prefix { return netip.PrefixFrom(p.addr, s.subnet.Bits()) }

// path is that of the first pod to the second one.
func (s ptp) path(stepID string) cause.Path {
	goals := map[string]cause.Goal{
		"namespaces": cause.Namespace, "veth": cause.Link, "host": cause.Link, "inside": cause.Host,
		"reroute": cause.Route, "forwarding": cause.Outside, acceptStep: cause.Outside,
	}
	if len(s.facts.Walls) > 0 {
		goals["forwarding"] = cause.Forward
	}
	first := s.pods[0]
	p := cause.Path{
		NS: first.name, Dev: podLink, HostDev: first.link, Gateway: s.gateway, Goal: goals[stepID],
	}
	if p.Goal > cause.Link { // before it the pod has no address
		p.Pod, p.Subnet = s.address(first), first.prefix()
	}
	if stepID != "namespaces" && stepID != "veth" { // the host has it on every cable
		p.HostAddr = s.gateway
	}
	if p.Goal == cause.Route || p.Goal == cause.Forward || p.Goal == cause.Outside {
		p.Outside = s.pods[1].addr
	}
	return p
}

func (s ptp) words() map[string]string {
	words := podWords(s.pods, s.facts)
	words["subnet"], words["gateway"] = s.subnet.String(), s.gateway.String()
	words["first-address"] = s.address(s.pods[0]).String()
	return words
}
