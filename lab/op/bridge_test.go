package op

import (
	"testing"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

func TestBridgeVerify(t *testing.T) {
	mismatches(t, netns("ns1"), BridgeAdd{Name: "br0"}, []mismatchCase{
		{"deleted", "ip link del br0", "name", "missing"},
		{"moved away", "ip link del br0; ip -n ns1 link add br0 type bridge", "name", "missing"},
		{"another type", "ip link del br0; ip link add br0 type veth peer name x", "type", "veth"},
		{"renamed, the name kept as an altname", "ip link set br0 name other; ip link property add dev other altname br0", "name", "other"},
	})
}

func TestBridgeTaken(t *testing.T) {
	placesTaken(t, BridgeAdd{Name: "br0"}, map[string]string{
		"by a bridge":   bridge,
		"by a veth":     "ip link add br0 type veth peer name h.1",
		"by an altname": pair + "ip link property add dev veth altname br0",
	})
}

func TestBridgeFresh(t *testing.T) {
	freshness(t, pair, BridgeAdd{Name: "br0"}, []freshCase{
		{"as made", "", true},
		{"up", "ip link set br0 up", false},
		{"a port", "ip link set veth master br0", false},
		{"an address", "ip addr add 10.0.0.1/24 dev br0", false},
		{"gone", "ip link del br0", false},
	})
}

func TestLinkSetMasterVerify(t *testing.T) {
	setup := pair + bridge + "ip link add br1 type bridge"
	mismatches(t, setup, LinkSetMaster{Name: "veth", Master: "br0"}, []mismatchCase{
		{"taken out", "ip link set veth nomaster", "master", "none"},
		{"in another bridge", "ip link set veth master br1", "master", "br1"},
		{"bridge deleted", "ip link del br0", "master", "none"},
		{"deleted", "ip link del veth", "name", "missing"},
	})
	t.Run("none", func(t *testing.T) {
		mismatches(t, setup, LinkSetMaster{Name: "veth"}, []mismatchCase{
			{"put in", "ip link set veth master br0", "master", "br0"},
		})
	})
}

func TestLinkSetMasterTaken(t *testing.T) {
	placesTaken(t, LinkSetMaster{Name: "veth", Master: "br0"}, map[string]string{
		"by another bridge": pair + bridge + "ip link add br1 type bridge; ip link set veth master br1",
	})
}

func TestLinkSetMasterWithoutABridge(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, pair)
	b.refuses(lab.ErrGone, LinkSetMaster{Name: "veth", Master: "br0"})
	before := b.dump()
	if err := (LinkSetMaster{Name: "veth", Master: "h.1"}).Apply(b.k); err == nil {
		t.Error("a veth is no bridge")
	}
	b.is(before, "after a refusal")
}

// A bridge bears the lowest MAC of its ports.
func TestBridgeTakesAPortsMAC(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, pair+"ip link set veth address 02:00:00:00:00:01")
	b.apply(BridgeAdd{Name: "br0"}, LinkSetMaster{Name: "veth", Master: "br0"})
	if err := (LinkSetAddress{Name: "br0", MAC: "02:00:00:00:00:01"}).Verify(b.k); err != nil {
		t.Error(err)
	}
	if err := (BridgeAdd{Name: "br0"}).Verify(b.k); err != nil {
		t.Error(err)
	}
}

func TestLinkSetAddressVerify(t *testing.T) {
	mismatches(t, pair, LinkSetAddress{Name: "veth", MAC: "ee:ee:ee:ee:ee:ee"}, []mismatchCase{
		{"another", "ip link set veth address 02:00:00:00:00:01", "address", "02:00:00:00:00:01"},
		{"deleted", "ip link del veth", "name", "missing"},
	})
}

// An undo puts the old address back in place of the lab's, and of no other.
func TestLinkSetAddressUndoSparesOthers(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, pair)
	o := LinkSetAddress{Name: "veth", MAC: "ee:ee:ee:ee:ee:ee"}
	undo := b.inverse(o)
	b.apply(o)
	b.shell("ip link set veth address 02:00:00:00:00:01")
	b.refuses(lab.ErrChanged, undo...)
}
