package scenarios

import (
	"net/netip"
	"slices"
	"strconv"

	"netlab/lab"
)

// mostBridgePods keeps what one ARP request becomes in the queue that it must pass.
// A bridge has room for 1023 ports (BR_MAX_PORTS, net/bridge/br_private.h), but it
// puts a copy for each of them into one queue of the CPU before the first is
// delivered (br_flood, netif_rx), and that has room for 1000, net.core.netdev_max_backlog:
// of more, the rest is dropped, and the oldest port, which comes last, hears nothing.
const mostBridgePods = 900

// Bridge is pods in one subnet on a Linux bridge: the host switches between them
// and routes nothing, as the CNI bridge plugin and Flannel wire a node.
func Bridge() Scenario {
	return Scenario{
		Name: "bridge",
		Params: []Param{
			{Name: "pods", Default: "2"},
			{Name: "subnet", Default: "10.244.1.0/24"},
			{Name: "prefix", Default: "pod"},
			{Name: "bridge", Default: "br0"},
		},
		Check: checkBridge,
		Steps: func(s Setting) []lab.Step { return newBridge(s).steps() },
		// The host has no route into the subnet, so it is in nobody's way there.
		Needs: func(v Values) Needs {
			b := newBridge(Setting{Values: v})
			spaces, links := names(b.pods)
			return Needs{Namespaces: spaces, NameParam: "prefix", Links: append([]string{b.bridge}, links...)}
		},
		Words: func(s Setting) map[string]string { return newBridge(s).words() },
		Home:  func(v Values) string { return v["prefix"] + "1" },
		Talk:  func(v Values) Talk { return talk(newBridge(Setting{Values: v}).pods) },
		Variations: []Variation{
			podPrefix("24", "32"), rpFilter(), forwardPolicy(), defaultRoute(), hostForwards(),
			parameter("pods"), parameter("subnet"),
		},
	}
}

func checkBridge(v Values) error {
	count, err := checkCount("pods", v["pods"], mostBridgePods)
	if err != nil {
		return err
	}
	subnet, err := checkSubnet("subnet", v["subnet"])
	if err != nil {
		return err
	}
	if wide := widen(subnet, count+1); !ordinary(wide.Addr()) || wide.Bits() < 8 {
		return badValue("subnet", v["subnet"], "subnet-special")
	}
	if err := checkPrefix("prefix", v["prefix"], mostBridgePods); err != nil {
		return err
	}
	if err := checkName("bridge", v["bridge"]); err != nil {
		return err
	}
	if _, links := names(newBridge(Setting{Values: v}).pods); slices.Contains(links, v["bridge"]) {
		return badValue("bridge", v["bridge"], "bridge-is-cable")
	}
	return nil
}

// bridge is the scenario with everything chosen.
type bridge struct {
	bridge string
	subnet netip.Prefix // as wide as the pods need
	pods   []pod        // the last one only watches
	owner  string
	facts  lab.Facts
}

func newBridge(s Setting) bridge {
	v := s.Values
	count, _ := strconv.Atoi(v["pods"]) // checked before
	subnet := widen(netip.MustParsePrefix(v["subnet"]), count+1)
	return bridge{
		bridge: v["bridge"], subnet: subnet, owner: s.Lab, facts: s.Facts,
		pods: makePods(v["prefix"], count, subnet, portLink),
	}
}

// portLink is the name of the host's end of a pod's cable: the pod's own, where a
// device's name has room for it, or a hash of it, as the CNI plugins make them.
func portLink(name string) string {
	if link := "v-" + name; len(link) <= 15 {
		return link
	}
	return vethLink(name)
}

// first and second are the pods that talk, watch is the one that doesn't.
func (b bridge) first() pod  { return b.pods[0] }
func (b bridge) second() pod { return b.pods[1] }
func (b bridge) watch() pod  { return b.pods[len(b.pods)-1] }

func (b bridge) words() map[string]string {
	first, second, watch := b.first(), b.second(), b.watch()
	return map[string]string{
		"namespace": first.name, "pod": first.addr.String(), "link": first.link,
		"peer": second.name, "peer-addr": second.addr.String(), "peer-link": second.link,
		"watch": watch.name, "watch-link": watch.link,
		"pod-link": podLink, "bridge": b.bridge, "subnet": b.subnet.String(),
		"bits": strconv.Itoa(b.subnet.Bits()), "uplink": b.facts.Uplink,
		"door": doors(b.facts.Walls),
	}
}
