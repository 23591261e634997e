package lab_test

import (
	"errors"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/op"
)

// Of a live bridge, the ports are the kernel's: one that was taken off it is not
// drawn as one, and one that is not the lab's is counted.
func TestAliveReadsABridgesPorts(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	ops := []lab.Op{op.BridgeAdd{Name: "br0"}, op.LinkSetUp{Name: "br0"}, op.AddrAdd{Link: "br0", Addr: netip.MustParsePrefix("10.0.0.1/24")}}
	for _, ns := range []string{"a", "b"} {
		ops = append(ops, op.NetnsAdd{Name: ns}, op.VethAdd{Name: "p" + ns, Peer: "eth0", PeerNS: ns},
			op.LinkSetMaster{Name: "p" + ns, Master: "br0"}, op.LinkSetUp{Name: "p" + ns}, op.LinkSetUp{NS: ns, Name: "eth0"})
	}
	k := kernel.Open()
	defer func() {
		if err := errors.Join(k.DelNetns("a"), k.DelNetns("b"), k.Close()); err != nil {
			t.Error(err)
		}
	}()
	for _, o := range ops {
		if err := o.Apply(k); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []string{
		"ip link set pb nomaster", "ip link add d1 type veth peer name d2", "ip link set d1 master br0", "ip link set d2 master br0",
	} {
		words := strings.Fields(c)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", c, err, out)
		}
	}
	kerneltest.Settled(t)
	pic, err := lab.PictureAt(lab.Facts{}, []lab.Step{{ID: "s", Ops: ops}}, "").Alive(k)
	if err != nil {
		t.Fatal(err)
	}
	if d := pic.Device("", "br0"); d.Ports != 3 || d.MAC == "" {
		t.Errorf("br0 has %d ports and MAC %q, want 3 and one", d.Ports, d.MAC)
	}
	if a, b := pic.Device("", "pa").Master, pic.Device("", "pb").Master; a != "br0" || b != "" {
		t.Errorf("pa is a port of %q, pb of %q", a, b)
	}
	for _, end := range []lab.End{{Name: "pa"}, {NS: "a", Name: "eth0"}, {NS: "b", Name: "eth0"}} {
		if d := pic.Device(end.NS, end.Name); d.MAC == "" || d.State != lab.StateUp {
			t.Errorf("%v has MAC %q and is %s", end, d.MAC, d.State)
		}
	}
}
