package op

import (
	"testing"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

func TestAddrVerify(t *testing.T) {
	mismatches(t, bothUp, AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24")}, []mismatchCase{
		{"deleted", "ip addr del 1.1.1.2/24 dev veth", "address", "missing"},
		{"another length", "ip addr flush dev veth; ip addr add 1.1.1.2/32 dev veth", "address", "1.1.1.2/32"},
		{"another address", "ip addr flush dev veth; ip addr add 1.1.1.3/24 dev veth", "address", "missing"},
		{"another link", "ip addr flush dev veth; ip addr add 1.1.1.2/24 dev h.1", "address", "missing"},
		{"another scope", "ip addr flush dev veth; ip addr add 1.1.1.2/24 dev veth scope link", "address", "1.1.1.2/24 scope link"},
		{"a peer", "ip addr flush dev veth; ip addr add 1.1.1.2 peer 1.1.1.9/24 dev veth", "address", "1.1.1.2 peer 1.1.1.9/24"},
		{"two others", "ip addr flush dev veth; ip addr add 1.1.1.2/32 dev veth; ip addr add 1.1.1.2/25 dev veth", "address", "1.1.1.2/32 and 1.1.1.2/25"},
		{"link deleted", "ip link del veth", "name", "missing"},
	})
	t.Run("of scope host, without a prefix route", func(t *testing.T) {
		mismatches(t, bothUp, AddrAdd{Link: "veth", Addr: cidr("10.9.9.9/24"), Scope: "host", NoPrefixRoute: true}, []mismatchCase{
			{"another scope", "ip addr flush dev veth; ip addr add 10.9.9.9/24 dev veth noprefixroute", "address", "10.9.9.9/24 noprefixroute"},
			{"a prefix route", "ip addr flush dev veth; ip addr add 10.9.9.9/24 dev veth scope host", "address", "10.9.9.9/24 scope host"},
		})
	})
	t.Run("with a broadcast address", func(t *testing.T) {
		mismatches(t, bothUp, AddrAdd{Link: "veth", Addr: cidr("10.9.9.9/24"), Broadcast: ip4("10.9.9.255")}, []mismatchCase{
			{"none", "ip addr flush dev veth; ip addr add 10.9.9.9/24 dev veth", "address", "10.9.9.9/24"},
			{"another one", "ip addr flush dev veth; ip addr add 10.9.9.9/24 brd 10.9.9.0 dev veth", "address", "10.9.9.9/24 brd 10.9.9.0"},
		})
	})
	t.Run("with a peer of the same length", func(t *testing.T) {
		mismatches(t, bothUp, AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/32")}, []mismatchCase{
			{"changed", "ip addr flush dev veth; ip addr add 1.1.1.2 peer 1.1.1.9/32 dev veth", "address", "1.1.1.2 peer 1.1.1.9/32"},
		})
	})
	t.Run("in a namespace", func(t *testing.T) {
		mismatches(t, netns("ns1")+"ip -n ns1 "+pair[3:], AddrAdd{NS: "ns1", Link: "veth", Addr: cidr("1.1.1.2/24")}, []mismatchCase{
			{"moved to the host", "ip -n ns1 link set veth" + toHost, "name", "missing"},
			{"deleted", "ip netns del ns1", "name", "missing"},
		})
	})
}

func TestAddrTaken(t *testing.T) {
	placesTaken(t, AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24")}, map[string]string{
		"by the same":          pair + "ip addr add 1.1.1.2/24 dev veth",
		"with another scope":   pair + "ip addr add 1.1.1.2/24 dev veth scope link",
		"with a peer near by":  pair + "ip addr add 1.1.1.2 peer 1.1.1.9/24 dev veth",
		"with a label of ours": pair + "ip addr add 1.1.1.2/24 dev veth label veth:1",
	})
}

// What the kernel doesn't take for the same address is no obstacle.
func TestAddrBesideOthers(t *testing.T) {
	for name, other := range map[string]string{
		"another length":      "ip addr add 1.1.1.2/25 dev veth",
		"a peer elsewhere":    "ip addr add 1.1.1.2 peer 9.9.9.9/24 dev veth",
		"another link":        "ip addr add 1.1.1.2/24 dev h.1",
		"the subnet's first":  "ip addr add 1.1.1.1/24 dev veth",
		"several, and routes": "ip addr add 1.1.1.1/24 dev veth; ip addr add 1.1.1.3/24 dev veth; ip route add 7.7.7.0/24 via 1.1.1.9",
	} {
		t.Run(name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, bothUp+other)
			before := b.dump()
			o := AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24")}
			undo := b.inverse(o)
			b.apply(o)
			b.differs(undo[0], "address", "1.1.1.2/24")
			b.apply(undo...)
			b.is(before, "after the undo")
		})
	}
}

// An undo takes away the lab's address, and no other.
func TestAddrUndoSparesOthers(t *testing.T) {
	const replace = "ip addr flush dev veth; ip addr add "
	for _, tt := range []struct {
		name   string
		byHand string
		want   error
	}{
		{"another length", replace + "1.1.1.2/25 dev veth", lab.ErrGone},
		{"another scope", replace + "1.1.1.2/24 dev veth scope link", lab.ErrChanged},
		{"a peer near by", replace + "1.1.1.2 peer 1.1.1.9/24 dev veth", lab.ErrChanged},
		{"a peer elsewhere", replace + "1.1.1.2 peer 9.9.9.9/24 dev veth", lab.ErrGone},
		{"a secondary address", "ip addr add 1.1.1.3/24 dev veth", lab.ErrInUse},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, bothUp)
			o := AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24")}
			undo := b.inverse(o)
			b.apply(o)
			b.shell(tt.byHand)
			b.refuses(tt.want, undo...)
		})
	}
}

func TestAddrUndoPromotesSecondaries(t *testing.T) {
	for _, conf := range []string{"all", "veth"} {
		t.Run(conf, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, bothUp+"sysctl -qw net.ipv4.conf."+conf+".promote_secondaries=1")
			theirs := AddrAdd{Link: "veth", Addr: cidr("1.1.1.3/24")}
			b.apply(theirs)
			alone := b.dump()
			b.apply(AddrDel(theirs))

			o := AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24")}
			b.apply(o, theirs)
			b.apply(AddrDel(o))
			b.is(alone, "after the undo")
		})
	}
}
