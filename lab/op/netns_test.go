package op

import (
	"errors"
	"io/fs"
	"os/exec"
	"testing"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

// stale is what a stopped `ip netns add` leaves.
const stale = "touch /run/netns/ns1\n"

func TestNetnsVerify(t *testing.T) {
	mismatches(t, "", NetnsAdd{Name: "ns1"}, []mismatchCase{
		{"deleted", "ip netns del ns1", "name", "missing"},
		{"an empty file in its place", "ip netns del ns1\n" + stale, "name", "missing"},
	})
}

func TestNetnsTaken(t *testing.T) {
	placesTaken(t, NetnsAdd{Name: "ns1"}, map[string]string{"by another": "ip netns add ns1", "by an empty file": stale})
}

func TestNetnsFresh(t *testing.T) {
	freshness(t, "", NetnsAdd{Name: "ns1"}, []freshCase{
		{"as made", "", true},
		{"gone", "ip netns del ns1", true},
		{"only its file", "ip netns del ns1\n" + stale, true},
		{"lo up", "ip -n ns1 link set lo up", false},
		{"lo up and down", "ip -n ns1 link set lo up; ip -n ns1 link set lo down", false},
		{"an address", "ip -n ns1 addr add 10.0.0.1/8 dev lo", false},
		{"an IPv6 address", "ip -n ns1 addr add fd00::1/64 dev lo", false},
		{"a link", "ip -n ns1 link add br0 type bridge", false},
		{"a link moved there", pair + "ip link set veth netns ns1", false},
		{"a route", "ip -n ns1 route add blackhole 10.0.0.0/8", false},
		{"an IPv6 route", "ip -n ns1 route add blackhole fd00::/64", false},
	})
}

func TestNetnsOfTunnelsIsFresh(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, "")
	b.apply(NetnsAdd{Name: "ns1"})
	// Where the tunnels' modules are loaded, a new namespace has such devices.
	if out, err := exec.Command("ip", "-n", "ns1", "link", "add", "tunl0", "type", "bridge").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b.fresh(NetnsAdd{Name: "ns1"}, true)
	b.shell("ip -n ns1 link set tunl0 up")
	b.fresh(NetnsAdd{Name: "ns1"}, false)
}

func TestNetnsDel(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, "ip netns add ns1; ip netns add ns0")
	o := NetnsDel{Name: "ns1"}
	before := b.dump()
	undo := b.inverse(o)
	b.apply(o)
	b.refuses(lab.ErrGone, o)
	if _, err := o.Inverse(b.k); !errors.Is(err, lab.ErrGone) {
		t.Errorf("inverse of what is gone: %v", err)
	}
	b.apply(undo...)
	b.resembles(before, "after the undo")
	b.differs(o, "name", "there")

	b.shell("ip -n ns1 link set lo up")
	if undo, err := o.Inverse(b.k); err == nil {
		t.Errorf("what is in the namespace would be put back by %v", undo)
	}
	b.apply(o)
	b.shell(stale)
	b.differs(o, "name", "there")
	b.apply(o)
	if err := (NetnsAdd{Name: "ns0"}).Apply(b.k); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the same name twice: %v", err)
	}
}

// Names that lead out of the directory of names are no names.
func TestNetnsNamesAreNoPaths(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, "touch /run/kept")
	before := b.dump()
	for _, name := range []string{"", ".", "..", "../kept", "a/b", "/run/kept"} {
		for _, o := range []lab.Op{NetnsAdd{Name: name}, NetnsDel{Name: name}} {
			if err := o.Apply(b.k); err == nil {
				t.Errorf("%s was done", o.Command())
			}
		}
	}
	b.shell("test -e /run/kept")
	b.is(before, "after refusals")
}
