package scenarios

import (
	"crypto/sha1"
	"encoding/hex"
	"net/netip"
	"strconv"

	"netlab/lab"
	"netlab/lab/op"
	"netlab/lab/probe"
)

// pod is one of several pods that are wired alike.
type pod struct {
	name string // of its namespace
	link string // the host's end of its cable; the pod's own end is eth0
	addr netip.Addr
}

// prefix is the pod's address alone, without a subnet around it.
func (p pod) prefix() netip.Prefix { return single(p.addr) }

// podLink is what the CRI calls a pod's device.
const podLink = "eth0"

// bystander is the name of the pod that takes no part and only watches, after
// the prefix that all have.
const bystander = "-watch"

// makePods names count pods, PREFIX1 and so on, and after them the bystander, and
// gives them the addresses of the subnet from its second on: the first is the
// network's own. link names the host's end of a pod's cable.
func makePods(prefix string, count int, subnet netip.Prefix, link func(name string) string) []pod {
	pods := make([]pod, 0, count+1)
	addr := subnet.Addr()
	add := func(name string) {
		addr = addr.Next()
		pods = append(pods, pod{name: name, link: link(name), addr: addr})
	}
	for i := range count {
		add(prefix + strconv.Itoa(i+1))
	}
	add(prefix + bystander)
	return pods
}

// checkCount accepts a number of pods from two, of which one talks to the other.
func checkCount(param, value string, most int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 2 || n > most {
		return 0, badValue(param, value, "pod-count", "most", strconv.Itoa(most))
	}
	return n, nil
}

// checkPrefix accepts what names can begin with that count up to most.
func checkPrefix(param, value string, most int) error {
	longest := max(len(bystander), len(strconv.Itoa(most)))
	if len(value)+longest > 15 {
		return badValue(param, value, "prefix-long", "most", strconv.Itoa(15-longest))
	}
	return checkName(param, value)
}

// widen is the prefix around p that has need addresses besides the network's own
// and, at its end, the broadcast one.
func widen(p netip.Prefix, need int) netip.Prefix {
	for p.Bits() > 0 && 1<<(32-p.Bits()) < need+2 {
		p = netip.PrefixFrom(p.Addr(), p.Bits()-1).Masked()
	}
	return p
}

// vethLink is a name like those that CNI plugins draw, veth and eight hexadecimal
// digits, but the same for a pod each time.
func vethLink(name string) string {
	sum := sha1.Sum([]byte(name))
	return "veth" + hex.EncodeToString(sum[:4])
}

// forEach is a group of ops for each pod.
func forEach(pods []pod, ops func(pod) []lab.Op) []lab.Group {
	groups := make([]lab.Group, len(pods))
	for i, p := range pods {
		groups[i] = lab.Group{Name: p.name, Ops: ops(p)}
	}
	return groups
}

// quiet keeps IPv6 off a link, so that nothing but the lab's own packets is on it.
// It is for a link that has its namespace already, and is still down.
func quiet(f lab.Facts, ns, link string) []lab.Op {
	if !f.IPv6 {
		return nil
	}
	return []lab.Op{op.SysctlSet{NS: ns, Key: "net/ipv6/conf/" + link + "/disable_ipv6", Value: "1"}}
}

// ring is the pods as probe.Ring takes them.
func ring(pods []pod) []probe.RingPod {
	all := make([]probe.RingPod, len(pods))
	for i, p := range pods {
		all[i] = probe.RingPod{NS: p.name, Dev: podLink, Addr: p.addr}
	}
	return all
}

func names(pods []pod) (spaces, links []string) {
	for _, p := range pods {
		spaces, links = append(spaces, p.name), append(links, p.link)
	}
	return spaces, links
}

// podWords are for the scenarios of several pods: the two that talk, and the one
// that watches.
func podWords(pods []pod, f lab.Facts) map[string]string {
	first, second, watch := pods[0], pods[1], pods[len(pods)-1]
	return map[string]string{
		"namespace": first.name, "uplink": f.Uplink,
		"first": first.name, "first-link": first.link, "first-addr": first.addr.String(),
		"second": second.name, "second-link": second.link, "second-addr": second.addr.String(),
		"watch": watch.name, "count": strconv.Itoa(len(pods)), "pod-link": podLink,
		"door": doors(f.Walls),
	}
}

// talk is that of the first pod to the second; the last one listens.
func talk(pods []pod) Talk {
	return Talk{From: pods[0].name, To: pods[1].name, Addr: pods[1].addr, Watch: pods[len(pods)-1].name}
}
