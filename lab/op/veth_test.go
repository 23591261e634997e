package op

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

func TestVethBornInAnotherNamespaceVerify(t *testing.T) {
	o := VethAdd{Name: "veth", Peer: "c-eth0", PeerNS: "ns1", MAC: "ee:ee:ee:ee:ee:ee"}
	mismatches(t, netns("ns1")+netns("ns2"), o, []mismatchCase{
		{"another MAC", "ip link set veth address 02:00:00:00:00:01", "address", "02:00:00:00:00:01"},
		{"peer renamed", "ip -n ns1 link set c-eth0 name other", "peer", "other"},
		{"peer moved", "ip -n ns1 link set c-eth0 netns ns2", "name", "missing"},
		{"peer moved, another of its name", "ip -n ns1 link set c-eth0 netns ns2; ip -n ns1 link add c-eth0 type bridge", "peer", "elsewhere"},
		{"peer moved to this one", "ip -n ns1 link set c-eth0 netns $$; true", "name", "missing"},
		{"deleted", "ip link del veth", "name", "missing"},
		{"namespace deleted", "ip netns del ns1", "name", "missing"},
	})
}

func TestVethQueuesVerify(t *testing.T) {
	one := "numtxqueues 1 numrxqueues 1"
	again := func(ours, peers string) string {
		return "ip link del veth; ip link add veth " + ours + " type veth peer name c-eth0 netns ns1 " + peers
	}
	o := VethAdd{Name: "veth", Peer: "c-eth0", PeerNS: "ns1", Queues: 1}
	mismatches(t, netns("ns1"), o, []mismatchCase{
		{"ours for sending", again("numtxqueues 3 numrxqueues 1", one), "numtxqueues", "3"},
		{"ours for receiving", again("numtxqueues 1 numrxqueues 3", one), "numrxqueues", "3"},
		{"the peer's for sending", again(one, "numtxqueues 3 numrxqueues 1"), "numtxqueues", "3"},
		{"the peer's for receiving", again(one, "numtxqueues 1 numrxqueues 3"), "numrxqueues", "3"},
	})
	mismatches(t, "", VethAdd{Name: "veth", Peer: "c-eth0", Queues: 1}, []mismatchCase{
		{"the peer's beside it", "ip link del veth; ip link add veth " + one + " type veth peer name c-eth0 numtxqueues 3 numrxqueues 1", "numtxqueues", "3"},
	})
	t.Run("which does as well", func(t *testing.T) {
		if !kerneltest.Isolate(t) {
			return
		}
		b := newBench(t, netns("ns1"))
		b.shell("ip link add veth numtxqueues 3 numrxqueues 2 type veth peer name c-eth0 netns ns1")
		b.differs(o, "numtxqueues", "3")
		if err := o.Effect(b.k); err != nil {
			t.Error(err)
		}
		b.shell("ip -n ns1 link set c-eth0 name other")
		if err := o.Effect(b.k); err == nil {
			t.Error("a pair with another peer does as well")
		}
	})
}

func TestVethBornInAnotherNamespaceTaken(t *testing.T) {
	placesTaken(t, VethAdd{Name: "veth", Peer: "c-eth0", PeerNS: "ns1"}, map[string]string{
		"by a link":   netns("ns1") + "ip link add veth type bridge",
		"at the peer": netns("ns1") + "ip -n ns1 link add c-eth0 type bridge",
	})
	t.Run("not by what is elsewhere", func(t *testing.T) {
		if !kerneltest.Isolate(t) {
			return
		}
		b := newBench(t, netns("ns1")+"ip link add c-eth0 type bridge; ip -n ns1 link add veth type bridge")
		b.inverse(VethAdd{Name: "veth", Peer: "c-eth0", PeerNS: "ns1"})
	})
}

func TestVethBornInAnotherNamespaceFresh(t *testing.T) {
	freshness(t, netns("ns1"), VethAdd{Name: "veth", Peer: "c-eth0", PeerNS: "ns1", MAC: "ee:ee:ee:ee:ee:ee"}, []freshCase{
		{"as made", "", true},
		{"another MAC", "ip link set veth address 02:00:00:00:00:01", false},
		{"peer up", "ip -n ns1 link set c-eth0 up", false},
		{"peer moved", "ip -n ns1 link set c-eth0 netns $$; true", false},
		{"gone", "ip link del veth", false},
	})
}

// Both ends' identities are those of the namespaces that they were born in.
func TestVethMakesItsPeerWhereItIsBorn(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, netns("ns1")+"ip -n ns1 link add br0 type bridge; ip -n ns1 link add br1 type bridge")
	o := VethAdd{Name: "veth", Peer: "c-eth0", PeerNS: "ns1"}
	b.apply(o)
	want := []lab.Ref{{Kind: lab.RefLink, Name: "veth"}, {Kind: lab.RefLink, NS: "ns1", Name: "c-eth0"}}
	if diff := cmp.Diff(want, o.Makes()); diff != "" {
		t.Error(diff)
	}
	for _, ref := range o.Makes() {
		id, err := ref.Identify(b.k)
		if err != nil {
			t.Fatal(err)
		}
		if now, err := ref.NameNow(b.k, id); err != nil || now != ref.Name {
			t.Errorf("%s is now %q, %v", ref, now, err)
		}
	}
}

// The peer's namespace may be deleted first: the pair goes by itself a little
// later, which neither its deletion nor making it anew trips over.
func TestVethWhosePeerIsGoingAway(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, "")
	o := VethAdd{Name: "veth", Peer: "c-eth0", PeerNS: "ns1"}
	for _, undo := range []bool{true, false, true, false} {
		b.apply(NetnsAdd{Name: "ns1"}, o, NetnsDel{Name: "ns1"})
		if undo {
			err := o.Undo()[0].Apply(b.k)
			if err != nil && !errors.Is(err, lab.ErrGone) {
				t.Errorf("delete the pair: %v", err)
			}
			continue
		}
		b.apply(NetnsAdd{Name: "ns1"})
		if _, err := o.Inverse(b.k); err != nil {
			t.Errorf("make the pair anew: %v", err)
		}
		b.apply(NetnsDel{Name: "ns1"})
	}
}

func TestVethRefused(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, netns("ns1"))
	before := b.dump()
	for _, o := range []VethAdd{
		{Name: "veth", Peer: "c-eth0", PeerNS: "none"},
		{Name: "veth", Peer: "c-eth0", PeerNS: "ns1", MAC: "ee:ee"},
		{Name: "veth", Peer: "c-eth0", MAC: "01:00:5e:00:00:01"}, // multicast
	} {
		if err := o.Apply(b.k); err == nil {
			t.Errorf("%s was done", o.Command())
		}
	}
	b.is(before, "after refusals")
}
