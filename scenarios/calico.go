package scenarios

import (
	"net/netip"
	"strconv"

	"netlab/lab"
	"netlab/lab/cause"
)

// mostCalicoPods keeps the pods in a /20, and their build under a minute.
const mostCalicoPods = 4000

// Calico is several pods on one node, each wired as Calico's CNI plugin and Felix
// wire a workload (facts.md, section 3): one packet's way from pod to pod is one
// hop of routing.
func Calico() Scenario {
	return Scenario{
		Name: "calico",
		Params: []Param{
			{Name: "pods", Default: "2"},
			{Name: "pod-cidr", Default: "10.244.244.64/26"},
			{Name: "prefix", Default: "pod"},
			{Name: "gateway", Default: "169.254.1.1"},
		},
		Check: checkCalico,
		Steps: func(s Setting) []lab.Step { return newCalico(s).steps() },
		Needs: func(v Values) Needs {
			c := newCalico(Setting{Values: v})
			spaces, links := names(c.pods)
			return Needs{
				Namespaces: spaces, NameParam: "prefix", Links: links,
				Subnet: c.cidr.String(), SubnetParam: "pod-cidr",
				Gateway: v["gateway"], DefaultRoute: true,
			}
		},
		Words: func(s Setting) map[string]string { return newCalico(s).words() },
		Home:  func(v Values) string { return v["prefix"] + "1" },
		Talk:  func(v Values) Talk { return talk(newCalico(Setting{Values: v}).pods) },
		Path:  func(s Setting, stepID string) cause.Path { return newCalico(s).path(stepID) },
		Variations: []Variation{
			sysctl("conf", "proxy_arp", "1", "0"), sysctl("neigh", "proxy_delay", "0", "10", "80"),
			sysctl("conf", "forwarding", "1", "0"), sysctl("conf", "route_localnet", "1", "0"),
			podPrefix("32", "26", "24"), routeOrder(), linkScope(),
			rpFilter(), forwardPolicy(), defaultRoute(), hostForwards(),
			parameter("pods"), parameter("pod-cidr"), parameter("gateway"),
		},
	}
}

func checkCalico(v Values) error {
	count, err := checkCount("pods", v["pods"], mostCalicoPods)
	if err != nil {
		return err
	}
	if err := checkPrefix("prefix", v["prefix"], mostCalicoPods); err != nil {
		return err
	}
	cidr, err := checkSubnet("pod-cidr", v["pod-cidr"])
	if err != nil {
		return err
	}
	gateway, err := checkAddr("gateway", v["gateway"])
	if err != nil {
		return err
	}
	if widened := widen(cidr, count+1); widened.Contains(gateway) {
		return badValue("gateway", v["gateway"], "gateway-among-pods", "subnet", widened.String())
	}
	return nil
}

// calico is the scenario with everything chosen.
type calico struct {
	pods    []pod // the last one is the bystander
	cidr    netip.Prefix
	gateway netip.Addr
	owner   string
	facts   lab.Facts
}

// newCalico expects values that checkCalico accepts.
func newCalico(s Setting) calico {
	count, _ := strconv.Atoi(s.Values["pods"])
	cidr := widen(netip.MustParsePrefix(s.Values["pod-cidr"]), count+1)
	return calico{
		pods: makePods(s.Values["prefix"], count, cidr, caliLink), cidr: cidr,
		gateway: netip.MustParseAddr(s.Values["gateway"]), owner: s.Lab, facts: s.Facts,
	}
}

// path is that of the first pod to the second one. Each step's checks prove one
// goal more.
func (c calico) path(stepID string) cause.Path {
	goals := map[string]cause.Goal{
		"namespaces": cause.Namespace, "veth": cause.Link, "inside": cause.Route, "routes": cause.Route,
		"forwarding": cause.Forward, "proxy-arp": cause.Outside, acceptStep: cause.Outside,
	}
	if len(c.facts.Walls) > 0 {
		goals["proxy-arp"] = cause.Gateway
	}
	first := c.pods[0]
	p := cause.Path{
		NS: first.name, Dev: podLink, HostDev: first.link, Uplink: c.facts.Uplink,
		Gateway: c.gateway, Outside: c.pods[1].addr, Goal: goals[stepID],
	}
	if p.Goal > cause.Link { // before it the pod has no address
		p.Pod, p.Subnet = first.prefix(), first.prefix()
	}
	return p
}

func (c calico) words() map[string]string {
	words := podWords(c.pods, c.facts)
	words["pod-cidr"], words["gateway"], words["host-mac"] = c.cidr.String(), c.gateway.String(), calicoMAC
	return words
}
