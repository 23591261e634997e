package op

import (
	"errors"
	"testing"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

const theirDefault = bothUp + "ip addr add 10.0.0.1/24 dev veth; ip route add default via 10.0.0.9 proto dhcp src 10.0.0.1 metric 100\n"

// What was deleted for the lab is put back only where nobody has put something
// else since, and what is there already is left alone: a lab may be killed
// between writing down what undoes an op and doing it.
func TestRestoringSparesOthers(t *testing.T) {
	anywhere := cidr("0.0.0.0/0")
	for _, tt := range []struct {
		name, setup string
		op          lab.Op
		byHand      string // after the op; the undo then wants
		want        error
		undone      bool // before the undo, the op is not done
	}{
		{"route there already", theirDefault, RouteDelAny{Dst: anywhere, Dev: "veth"}, "", nil, true},
		{"route put back by others", theirDefault, RouteDelAny{Dst: anywhere, Dev: "veth"},
			"ip route add default via 10.0.0.9 proto dhcp src 10.0.0.1 metric 100", nil, false},
		{"another route in its place", theirDefault, RouteDelAny{Dst: anywhere, Dev: "veth"}, "ip route add default via 10.0.0.8 metric 100", lab.ErrChanged, false},
		{"the same of another maker", theirDefault, RouteDelAny{Dst: anywhere, Dev: "veth"},
			"ip route add default via 10.0.0.9 proto static src 10.0.0.1 metric 100", lab.ErrChanged, false},
		{"a device that is gone", theirDefault, RouteDelAny{Dst: anywhere, Dev: "veth"}, "ip link del veth", lab.ErrGone, false},
		{"address there already", theirDefault, AddrDel{Link: "veth", Addr: cidr("10.0.0.1/24")}, "", nil, true},
		{"another address in its place", bothUp + "ip addr add 10.0.0.1/24 dev veth", AddrDel{Link: "veth", Addr: cidr("10.0.0.1/24")},
			"ip addr add 10.0.0.1/24 scope link dev veth", lab.ErrChanged, false},
		{"an address with a label in its place", bothUp + "ip addr add 10.0.0.1/24 dev veth", AddrDel{Link: "veth", Addr: cidr("10.0.0.1/24")},
			"ip addr add 10.0.0.1/24 label veth:1 dev veth", lab.ErrChanged, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			if _, is := tt.op.(AddrDel); is && tt.undone {
				tt.setup = bothUp + "ip addr add 10.0.0.1/24 dev veth"
			}
			b := newBench(t, tt.setup)
			undo := b.inverse(tt.op)
			if !tt.undone {
				b.apply(tt.op)
			}
			if tt.byHand != "" {
				b.shell(tt.byHand)
			}
			if tt.want != nil {
				b.refuses(tt.want, undo...)
				return
			}
			before := b.dump()
			b.apply(undo...)
			b.is(before, "after an undo of nothing")
		})
	}
}

// What no op can put back is not deleted.
func TestWhatCantBePutBackStays(t *testing.T) {
	anywhere := cidr("0.0.0.0/0")
	for _, tt := range []struct {
		name, setup string
		op          lab.Op
	}{
		{"route over two links", bothUp + "ip route add default nexthop dev veth nexthop dev h.1", RouteDelAny{Dst: anywhere, Dev: "veth"}},
		{"route with a window", bothUp + "ip route add default dev veth window 1000", RouteDelAny{Dst: anywhere, Dev: "veth"}},
		{"first of two routes", bothUp + "ip route add default dev veth metric 1; ip route add default dev veth metric 2", RouteDelAny{Dst: anywhere, Dev: "veth"}},
		{"address with a peer", bothUp + "ip addr add 10.0.0.1 peer 10.0.0.2/32 dev veth", AddrDel{Link: "veth", Addr: cidr("10.0.0.1/32")}},
		{"address for a time", bothUp + "ip addr add 10.0.0.1/24 dev veth valid_lft 99 preferred_lft 99", AddrDel{Link: "veth", Addr: cidr("10.0.0.1/24")}},
		{"address before another", bothUp + "ip addr add 10.0.0.1/24 dev veth; ip addr add 10.7.0.1/24 dev veth", AddrDel{Link: "veth", Addr: cidr("10.0.0.1/24")}},
		{"first address of its subnet", bothUp + "ip addr add 10.0.0.1/24 dev veth; ip addr add 10.0.0.2/24 dev veth", AddrDel{Link: "veth", Addr: cidr("10.0.0.1/24")}},
		{"second address of three", bothUp + "ip addr add 10.0.0.1/24 dev veth; ip addr add 10.0.0.2/24 dev veth; ip addr add 10.0.0.3/24 dev veth", AddrDel{Link: "veth", Addr: cidr("10.0.0.2/24")}},
		{"another scope", bothUp + "ip addr add 10.0.0.1/24 scope link dev veth", AddrDel{Link: "veth", Addr: cidr("10.0.0.1/24")}},
		{"last address beside a daemon's route", bothUp + "ip addr add 10.0.0.1/24 dev veth; ip route add 10.7.0.0/16 via 10.0.0.9 proto bird", AddrDel{Link: "veth", Addr: cidr("10.0.0.1/24")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, tt.setup)
			if undo, err := tt.op.Inverse(b.k); err == nil {
				t.Errorf("%s would be undone by %v", tt.op.Command(), undo)
			}
		})
	}
}

func TestNothingToDelete(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, bothUp+"ip route add default dev h.1; ip route add 1.1.1.0/24 dev veth table 7; ip route add 1.1.2.0/24 dev veth tos 0x10")
	for _, o := range []lab.Op{
		RouteDelAny{Dst: cidr("0.0.0.0/0"), Dev: "veth"}, RouteDelAny{Dst: cidr("1.1.1.0/24"), Dev: "veth"},
		RouteDelAny{Dst: cidr("1.1.2.0/24"), Dev: "veth"}, RouteDelAny{NS: "none", Dst: cidr("1.1.2.0/24"), Dev: "veth"},
		RouteDel{Dst: cidr("1.1.1.0/24"), Dev: "veth"}, AddrDel{Link: "veth", Addr: cidr("10.0.0.1/24")},
	} {
		if _, err := o.Inverse(b.k); !errors.Is(err, lab.ErrGone) {
			t.Errorf("inverse of %s: %v", o.Command(), err)
		}
		b.refuses(lab.ErrGone, o)
		if err := o.Verify(b.k); err != nil {
			t.Errorf("verify %s: %v", o.Command(), err)
		}
	}
}

func TestRestoreVerify(t *testing.T) {
	mismatches(t, theirDefault+"ip route del default", RouteRestore{
		Route: RouteAdd{Dst: cidr("0.0.0.0/0"), Via: ip4("10.0.0.9"), Dev: "veth", Src: ip4("10.0.0.1")}, Proto: "dhcp", Metric: 100,
	}, []mismatchCase{
		{"deleted", "ip route del default", "path", "missing"},
		{"another metric", "ip route del default; ip route add default via 10.0.0.9 proto dhcp src 10.0.0.1", "path", "via 10.0.0.9 dev veth scope global src 10.0.0.1"},
	})
	t.Run("address", func(t *testing.T) {
		mismatches(t, bothUp, AddrRestore{Address: AddrAdd{Link: "veth", Addr: cidr("10.0.0.1/24")}, Label: "veth:1"}, []mismatchCase{
			{"deleted", "ip addr del 10.0.0.1/24 dev veth", "address", "missing"},
			{"no label", "ip addr flush dev veth; ip addr add 10.0.0.1/24 dev veth", "address", "10.0.0.1/24 veth"},
		})
	})
}
