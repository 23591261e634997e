package op

import (
	"errors"
	"io/fs"
	"testing"
	"time"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

// toHost ends a command that moves a link to the bench's own namespace.
const toHost = " netns $$; true" // not last, lest it replace the shell

func TestVethVerify(t *testing.T) {
	mismatches(t, netns("ns1"), VethAdd{Name: "veth", Peer: "h.1"}, []mismatchCase{
		{"deleted", "ip link del veth", "name", "missing"},
		{"deleted by its peer", "ip link del h.1", "name", "missing"},
		{"renamed", "ip link set veth name other", "name", "missing"},
		{"renamed, the name kept as an altname", "ip link set veth name other; ip link property add dev other altname veth", "name", "other"},
		{"moved away", "ip link set veth netns ns1", "name", "missing"},
		{"another type", "ip link del veth; ip link add veth type bridge", "type", "bridge"},
		{"peer renamed", "ip link set h.1 name other", "peer", "other"},
		{"peer moved and renamed", "ip link set h.1 netns ns1; ip -n ns1 link set h.1 name other", "peer", "other"},
		{"peer of another pair", "ip link del veth; ip link add veth type veth peer name other; ip link add h.1 type bridge", "peer", "other"},
		{"peer elsewhere of another pair", "ip link del veth; ip link add veth type veth peer name other netns ns1; ip link add h.1 type bridge", "peer", "other"},
	})
	t.Run("in a namespace that is gone", func(t *testing.T) {
		mismatches(t, netns("ns1"), VethAdd{NS: "ns1", Name: "veth", Peer: "h.1"}, []mismatchCase{
			{"deleted", "ip netns del ns1", "name", "missing"},
		})
	})
}

func TestVethVerifyFindsAMovedPeer(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, netns("ns1")+netns("ns2"))
	o := VethAdd{Name: "veth", Peer: "h.1"}
	b.apply(o, LinkSetNetns{Name: "h.1", To: "ns1"}, LinkSetNetns{NS: "ns1", Name: "h.1", To: "ns2"})
	if err := o.Verify(b.k); err != nil {
		t.Error(err)
	}
	b.shell("ip netns del ns2") // it lives on without a name
	if err := o.Verify(b.k); err != nil {
		t.Error(err)
	}
	b.k.Forget("ns2") // now it ends, and the pair with it, a little later
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		err := o.Verify(b.k)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		var m *lab.Mismatch
		if err != nil && !errors.As(err, &m) {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("the pair is still there")
		}
	}
	b.differs(o, "name", "missing")
}

func TestVethTaken(t *testing.T) {
	placesTaken(t, VethAdd{Name: "veth", Peer: "h.1"}, map[string]string{
		"by a link":            "ip link add veth type bridge",
		"at the peer":          "ip link add h.1 type bridge",
		"by an altname":        "ip link add br0 type bridge; ip link property add dev br0 altname veth",
		"by the same veth":     pair,
		"by the peer reversed": "ip link add h.1 type veth peer name veth",
	})
}

func TestVethFresh(t *testing.T) {
	freshness(t, netns("ns1"), VethAdd{Name: "veth", Peer: "h.1"}, []freshCase{
		{"as made", "", true},
		{"up", "ip link set veth up", false},
		{"peer up", "ip link set h.1 up", false},
		{"an address", "ip addr add 10.0.0.1/24 dev veth", false},
		{"an address of the peer", "sysctl -qw net/ipv6/conf/h.1/disable_ipv6=0; ip addr add fd00::1/64 dev h.1", false},
		{"in a bridge", "ip link add br0 type bridge; ip link set h.1 master br0", false},
		{"peer moved", "ip link set h.1 netns ns1", false},
		{"peer renamed", "ip link set h.1 name other", false},
		{"another link", "ip link del veth; ip link add veth type bridge", false},
		{"gone", "ip link del veth", false},
	})
}

func TestLinkSetNetnsVerify(t *testing.T) {
	mismatches(t, pair+netns("ns1")+netns("ns2"), LinkSetNetns{Name: "h.1", To: "ns1"}, []mismatchCase{
		{"moved back", "ip -n ns1 link set h.1" + toHost, "name", "missing"},
		{"moved on", "ip -n ns1 link set h.1 netns ns2", "name", "missing"},
		{"renamed", "ip -n ns1 link set h.1 name other", "name", "missing"},
		{"deleted", "ip link del veth", "name", "missing"},
		{"namespace deleted", "ip netns del ns1", "name", "missing"},
	})
}

func TestLinkSetNetnsTaken(t *testing.T) {
	placesTaken(t, LinkSetNetns{Name: "h.1", To: "ns1"}, map[string]string{
		"by a link":     pair + netns("ns1") + "ip -n ns1 link add h.1 type bridge",
		"by an altname": pair + netns("ns1") + "ip -n ns1 link property add dev lo altname h.1",
	})
}

func TestLinkSetNetnsFresh(t *testing.T) {
	freshness(t, pair+netns("ns1"), LinkSetNetns{Name: "h.1", To: "ns1"}, []freshCase{
		{"as made", "", true},
		{"up", "ip -n ns1 link set h.1 up", false},
		{"an address", "ip -n ns1 addr add 10.0.0.1/24 dev h.1", false},
		{"in a bridge", "ip -n ns1 link add br0 type bridge; ip -n ns1 link set h.1 master br0", false},
		{"gone", "ip link del veth", false},
		{"its namespace gone", "ip netns del ns1", false},
	})
}

func TestLinkSetUpVerify(t *testing.T) {
	mismatches(t, pair, LinkSetUp{Name: "h.1"}, []mismatchCase{
		{"down", "ip link set h.1 down", "state", "down"},
		{"deleted", "ip link del h.1", "name", "missing"},
	})
	t.Run("down", func(t *testing.T) {
		mismatches(t, netns("ns1")+"ip -n ns1 "+pair[3:], LinkSetUp{NS: "ns1", Name: "veth", Down: true}, []mismatchCase{
			{"up", "ip -n ns1 link set veth up", "state", "up"},
			{"namespace deleted", "ip netns del ns1", "name", "missing"},
		})
	})
}

// What a link would lose for good, no lab may take off it.
func TestLinksThatMustStay(t *testing.T) {
	const address = bothUp + "ip addr add 10.0.0.1/24 dev veth\n"
	down, move := LinkSetUp{Name: "veth", Down: true}, LinkSetNetns{Name: "veth", To: "ns1"}
	for _, tt := range []struct {
		name  string
		setup string
		op    lab.Op
	}{
		{"route with a metric", address + "ip route add 10.7.0.0/16 via 10.0.0.9 metric 7", down},
		{"route of a routing daemon", address + "ip route add 10.7.0.0/16 via 10.0.0.9 proto bird", down},
		{"route in another table", address + "ip route add 10.7.0.0/16 dev veth table 7", down},
		{"route over two links", address + "ip route add 10.7.0.0/16 nexthop dev veth nexthop dev h.1", down},
		{"IPv6 address", "sysctl -qw net.ipv6.conf.default.disable_ipv6=0\n" + bothUp + "ip addr add fd00::1/64 dev veth nodad", down},
		{"IPv6 route", "sysctl -qw net.ipv6.conf.default.disable_ipv6=0\n" + bothUp + "ip route add fd00::/64 dev veth", move},
		{"address with a peer", bothUp + "ip addr add 10.0.0.1 peer 10.0.0.2/32 dev veth", move},
		{"address with a label", bothUp + "ip addr add 10.0.0.1/24 dev veth label veth:1", move},
		{"address with a broadcast address", bothUp + "ip addr add 10.0.0.1/24 brd + dev veth", move},
		{"address for a time", bothUp + "ip addr add 10.0.0.1/24 dev veth valid_lft 99 preferred_lft 99", move},
		{"place in a bridge", pair + "ip link add br0 type bridge; ip link set veth master br0", move},
		{"existence", pair, LinkDel{Name: "veth"}},
		{"first address beside a route with a metric", bothUp + "ip route add 10.7.0.0/16 dev veth metric 7", AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, netns("ns1")+tt.setup)
			if undo, err := tt.op.Inverse(b.k); err == nil {
				t.Errorf("%s would be undone by %v", tt.op.Command(), undo)
			}
		})
	}
}
