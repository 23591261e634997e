package trace

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

// brief is a patience for what is known to get lost.
const brief = 200 * time.Millisecond

// sh is kerneltest.Sh.
func sh(t *testing.T, commands string) {
	t.Helper()
	kerneltest.Sh(t, commands)
}

func openKernel(t *testing.T) *kernel.Kernel {
	t.Helper()
	k := kernel.Open()
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

// pair joins two namespaces, a and b, by a veth.
const pair = `
	ip link set lo up
	ip netns add a
	ip netns add b
	ip -n a link set lo up
	ip -n b link set lo up
	ip -n a link add va type veth peer name vb netns b
	ip -n a link set va up
	ip -n b link set vb up
	ip -n a addr add 10.0.0.1/24 dev va
	ip -n b addr add 10.0.0.2/24 dev vb
`

// routed is two pods as Calico wires them, and a world behind the host's uplink.
var routed = `
	ip link set lo up
	sysctl -qw net.ipv4.conf.all.rp_filter=0
	sysctl -qw net.ipv4.conf.default.rp_filter=0
	sysctl -qw net.ipv4.ip_forward=1
	ip netns add out
	ip -n out link set lo up
	ip link add up0 type veth peer name eth0 netns out
	ip link set up0 up
	ip -n out link set eth0 up
	ip addr add 192.0.2.2/24 dev up0
	ip -n out addr add 192.0.2.1/24 dev eth0
	ip -n out addr add 203.0.113.80/32 dev lo
	ip route add default via 192.0.2.1
` + routedPod1 + routedPod2

const routedPod1 = `
	ip netns add pod1
	ip -n pod1 link set lo up
	ip link add cali1 address ee:ee:ee:ee:ee:ee type veth peer name eth0 netns pod1
	ip link set cali1 up
	ip -n pod1 link set eth0 up
	ip -n pod1 route add 169.254.1.1 dev eth0 scope link
	ip -n pod1 route add default via 169.254.1.1 dev eth0
	ip -n pod1 addr add 10.244.1.1/32 dev eth0
	ip route add 10.244.1.1 dev cali1 scope link
	sysctl -qw net.ipv4.conf.cali1.proxy_arp=1
	sysctl -qw net.ipv4.neigh.cali1.proxy_delay=0
`

var routedPod2 = strings.NewReplacer("pod1", "pod2", "cali1", "cali2", "10.244.1.1", "10.244.1.2").Replace(routedPod1)

// bridged is three pods on a bridge of the host.
const bridged = `
	ip link set lo up
	ip link add br0 type bridge
	ip link set br0 up
	ip addr add 10.88.0.1/24 dev br0
	ip netns add p1
	ip netns add p2
	ip netns add p3
	ip link add v1 type veth peer name eth0 netns p1
	ip link add v2 type veth peer name eth0 netns p2
	ip link add v3 type veth peer name eth0 netns p3
	ip link set v1 master br0 up
	ip link set v2 master br0 up
	ip link set v3 master br0 up
	ip -n p1 link set eth0 up
	ip -n p2 link set eth0 up
	ip -n p3 link set eth0 up
	ip -n p1 addr add 10.88.0.11/24 dev eth0
	ip -n p2 addr add 10.88.0.12/24 dev eth0
	ip -n p3 addr add 10.88.0.13/24 dev eth0
`

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// follow runs a trace and shows it when the test fails.
func follow(t *testing.T, k *kernel.Kernel, r Request) Result {
	t.Helper()
	start := time.Now()
	res, err := Run(t.Context(), k, r)
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	t.Logf("in %v\n%s", time.Since(start).Round(time.Microsecond), drawn(res))
	return res
}

// drawn is a journey for a person who reads a failed test.
func drawn(r Result) string {
	var b strings.Builder
	for _, l := range r.Journey.Legs {
		b.WriteString(l.Kind + "\n")
		for _, d := range l.Start {
			b.WriteString("      " + decided(d) + "\n")
		}
		for _, h := range l.Hops {
			mark := "  "
			if h.Copy {
				mark = "c "
			}
			b.WriteString(mark + sprintHop(h) + "\n")
			for _, d := range h.Then {
				b.WriteString("      " + decided(d) + "\n")
			}
		}
	}
	b.WriteString(sprintEnd(r.Journey.End))
	return b.String()
}

// places is where a leg went, as "NS:DEV DIR"; copies are marked.
func places(r Result, kind string) []string {
	var all []string
	for _, l := range r.Journey.Legs {
		if l.Kind != kind {
			continue
		}
		for _, h := range l.Hops {
			p := Point{NS: h.NS, Dev: h.Dev}.Name() + " " + h.Dir
			if h.Copy {
				p += " copy"
			}
			all = append(all, p)
		}
	}
	return all
}

// decisions are all of a kind in a leg, in order.
func decisions(r Result, leg, kind string) []map[string]string {
	var all []map[string]string
	add := func(ds []lab.Decision) {
		for _, d := range ds {
			if d.Kind == kind {
				all = append(all, d.Values)
			}
		}
	}
	for _, l := range r.Journey.Legs {
		if l.Kind == leg {
			add(l.Start)
			for _, h := range l.Hops {
				add(h.Then)
			}
		}
	}
	return all
}

func macOf(t *testing.T, k *kernel.Kernel, ns, dev string) string {
	t.Helper()
	n, err := k.Namespace(ns)
	if err != nil {
		t.Fatal(err)
	}
	link, err := n.Link(dev)
	if err != nil {
		t.Fatal(err)
	}
	return link.Attrs().HardwareAddr.String()
}

func openFiles(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}
