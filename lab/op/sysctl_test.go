package op

import (
	"testing"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

func TestSysctlVerify(t *testing.T) {
	mismatches(t, pair, SysctlSet{Key: "net/ipv4/conf/h.1/rp_filter", Value: "2"}, []mismatchCase{
		{"changed", "sysctl -qw net/ipv4/conf/h.1/rp_filter=1", "value", "1"},
		{"device deleted", "ip link del veth", "name", "missing"},
	})
	t.Run("of several words", func(t *testing.T) {
		mismatches(t, "", SysctlSet{Key: "net/ipv4/ip_local_port_range", Value: "2000 3001"}, []mismatchCase{
			{"changed", "sysctl -qw net.ipv4.ip_local_port_range='2000 3003'", "value", "2000\t3003"},
		})
	})
	t.Run("in a namespace", func(t *testing.T) {
		mismatches(t, netns("ns1"), SysctlSet{NS: "ns1", Key: "net/ipv4/ip_forward", Value: "1"}, []mismatchCase{
			{"changed", "ip netns exec ns1 sysctl -qw net.ipv4.ip_forward=0", "value", "0"},
			{"on the host instead", "sysctl -qw net.ipv4.ip_forward=1; ip netns exec ns1 sysctl -qw net.ipv4.ip_forward=0", "value", "0"},
			{"namespace deleted", "ip netns del ns1", "name", "missing"},
		})
	})
	t.Run("restored", func(t *testing.T) {
		if !kerneltest.Isolate(t) {
			return
		}
		b := newBench(t, "sysctl -qw net.ipv4.conf.lo.rp_filter=2")
		b.differs(SysctlRestore{Values: []SysctlWas{{Key: "net/ipv4/conf/lo/rp_filter", Was: "1", Left: "2"}}}, "value", "2")
	})
}

func TestSysctlNames(t *testing.T) {
	if got, want := (SysctlSet{Key: "net/ipv4/conf/veth/proxy_arp", Value: "1"}).Command().String(), "sysctl -w net.ipv4.conf.veth.proxy_arp=1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	o := SysctlSet{NS: "ns1", Key: "net/ipv4/neigh/h.1/proxy_delay", Value: "0 1"}
	if got, want := o.Command().String(), "ip netns exec ns1 sysctl -w 'net/ipv4/neigh/h.1/proxy_delay=0 1'"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, tt := range []struct {
		op           SysctlSet
		shared, link string // link: the device that the key goes with
	}{
		{op: SysctlSet{Key: "net/ipv4/ip_forward"}, shared: "sysctl net/ipv4/ip_forward"},
		{op: SysctlSet{Key: "net/ipv4/conf/all/forwarding"}, shared: "sysctl net/ipv4/ip_forward"},
		{op: SysctlSet{Key: "net/ipv4/conf/default/rp_filter"}, shared: "sysctl net/ipv4/conf/default/rp_filter"},
		{op: SysctlSet{NS: "ns1", Key: "net/ipv4/ip_forward"}},
		{op: SysctlSet{Key: "net/ipv4/conf/h.1/proxy_arp"}, link: "h.1"},
		{op: SysctlSet{Key: "net/ipv4/neigh/veth/proxy_delay"}, link: "veth"},
	} {
		restore := SysctlRestore{NS: tt.op.NS, Values: []SysctlWas{{Key: tt.op.Key}}}
		for _, o := range []interface {
			lab.Sharer
			lab.Dweller
		}{tt.op, restore} {
			if got := o.Shared(); got != tt.shared {
				t.Errorf("%s is shared as %q, want %q", o.Command(), got, tt.shared)
			}
			link := ""
			for _, ref := range o.Within() {
				if ref.Kind == lab.RefLink {
					link = ref.Name
				}
			}
			if link != tt.link {
				t.Errorf("%s goes with link %q, want %q", o.Command(), link, tt.link)
			}
		}
	}
}

// A default is copied to a device that has no address; once it has one, the
// kernel doesn't copy back.
func TestSysctlDefaultIsTakenBackFromDevices(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, pair+"sysctl -qw net.ipv4.conf.default.rp_filter=0")
	o := SysctlSet{Key: "net/ipv4/conf/default/rp_filter", Value: "1"}
	undo := b.inverse(o)
	b.apply(o)
	b.shell("ip addr add 10.0.0.1/24 dev veth")
	b.apply(undo...)
	for _, dev := range []string{"default", "veth", "h.1"} {
		if err := (SysctlSet{Key: "net/ipv4/conf/" + dev + "/rp_filter", Value: "0"}).Verify(b.k); err != nil {
			t.Error(err)
		}
	}
}

func TestSysctlRefused(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, "")
	before := b.dump()
	for _, o := range []lab.Op{
		SysctlSet{Key: "net/ipv4/no_such", Value: "1"}, SysctlSet{Key: "net/ipv4/ip_forward", Value: "x"},
		SysctlSet{NS: "none", Key: "net/ipv4/ip_forward", Value: "1"},
	} {
		if err := o.Apply(b.k); err == nil {
			t.Errorf("%s was done", o.Command())
		}
	}
	if _, err := (SysctlSet{Key: "net/ipv4/no_such", Value: "1"}).Inverse(b.k); err == nil {
		t.Error("an unknown key has an inverse")
	}
	b.is(before, "after refusals")
}

// The script's own way to put a sysctl back, by bash alone, time and again.
func TestSysctlScript(t *testing.T) {
	const setup = pair + `
		sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.default.forwarding=1
		sysctl -qw net/ipv4/conf/h.1/forwarding=1 net.ipv4.ip_local_port_range='2000 3001'`
	for _, tt := range []struct {
		name string
		ops  []SysctlSet
	}{
		{"ip_forward", []SysctlSet{{Key: "net/ipv4/ip_forward", Value: "1"}}},
		{"ip_forward by its other name", []SysctlSet{{Key: "net/ipv4/conf/all/forwarding", Value: "1"}}},
		{"several words", []SysctlSet{{Key: "net/ipv4/ip_local_port_range", Value: "4000 5001"}}},
		{"two", []SysctlSet{{Key: "net/ipv4/ip_forward", Value: "1"}, {Key: "net/ipv4/conf/all/rp_filter", Value: "2"}}},
		{"two, the other way", []SysctlSet{{Key: "net/ipv4/conf/all/rp_filter", Value: "2"}, {Key: "net/ipv4/ip_forward", Value: "1"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, setup)
			before := b.dump()
			for range 2 {
				do, undo := "was=/run/was; mkdir $was\n", "was=/run/was\n"
				for _, o := range tt.ops {
					saveLines, undoLines := o.Script()
					for _, line := range saveLines {
						do += line + "\n"
					}
					do += o.Command().String() + "\n"
					for _, line := range undoLines {
						undo += line + "\n"
					}
				}
				b.shell(do)
				for _, o := range tt.ops {
					if err := o.Verify(b.k); err != nil {
						t.Error(err)
					}
				}
				b.shell(undo)
				b.is(before, "after the script's undo")
				b.shell(undo + "rm -r $was")
				b.is(before, "after the script's undo, twice")
			}
		})
	}
	for _, o := range []SysctlSet{{Key: "net/ipv4/conf/veth/proxy_arp", Value: "1"}, {NS: "ns1", Key: "net/ipv4/ip_forward", Value: "1"}} {
		if save, undo := o.Script(); save != nil || undo != nil {
			t.Errorf("%s: saved by %q, put back by %q", o.Command(), save, undo)
		}
	}
}
