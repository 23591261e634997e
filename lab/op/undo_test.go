package op

import (
	"testing"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

const pair = "ip link add veth type veth peer name h.1\n"
const bothUp = pair + "ip link set veth up; ip link set h.1 up\n"

// Each op does what its printed command does, is read back, and taken back by
// its inverse, as by its inverse's printed commands.
func TestOpsAreTheirCommandsAndCanBeUndone(t *testing.T) {
	anywhere := cidr("0.0.0.0/0")
	for _, tt := range []struct {
		name  string
		setup string
		op    lab.Op
		// again is what the undo says the second time; nil: it sets, and may be repeated.
		again error
	}{
		{"namespace", "", NetnsAdd{Name: "ns1"}, lab.ErrGone},
		{"namespace beside another", netns("ns0"), NetnsAdd{Name: "ns1"}, lab.ErrGone},

		{"veth", "", VethAdd{Name: "veth", Peer: "c-eth0"}, lab.ErrGone},
		{"veth in a namespace", netns("ns1"), VethAdd{NS: "ns1", Name: "veth", Peer: "h.1"}, lab.ErrGone},

		{"link moved in", pair + netns("ns1"), LinkSetNetns{Name: "h.1", To: "ns1"}, lab.ErrGone},
		{"link moved on", netns("ns1") + netns("ns2") + "ip -n ns1 " + pair[3:], LinkSetNetns{NS: "ns1", Name: "h.1", To: "ns2"}, lab.ErrGone},
		{"link moved to where it is", pair, LinkSetNetns{Name: "h.1"}, nil},
		{"link in use moved", bothUp + netns("ns1") + `
			ip addr add 10.0.0.1/24 dev veth; ip addr add 10.0.0.2/32 dev veth; ip addr add 127.1.0.1/16 dev veth
			ip route add default via 10.0.0.9 dev veth; ip route add 10.7.0.0/16 dev veth
			`, LinkSetNetns{Name: "veth", To: "ns1"}, lab.ErrGone},

		{"link up", pair, LinkSetUp{Name: "h.1"}, nil},
		{"link with an address up", pair + "ip addr add 10.0.0.1/24 dev veth", LinkSetUp{Name: "veth"}, nil},
		{"link up already", bothUp, LinkSetUp{Name: "veth"}, nil},
		{"link up in a namespace", netns("ns1") + "ip -n ns1 " + pair[3:], LinkSetUp{NS: "ns1", Name: "veth"}, nil},
		{"lo up", netns("ns1") + "ip netns exec ns1 sysctl -qw net.ipv6.conf.lo.disable_ipv6=1", LinkSetUp{NS: "ns1", Name: "lo"}, nil},
		{"lo with an address up", netns("ns1") + "ip -n ns1 addr add 127.0.0.2/32 dev lo", LinkSetUp{NS: "ns1", Name: "lo"}, nil},
		{"link down already", pair, LinkSetUp{Name: "veth", Down: true}, nil},
		{"link with routes down", bothUp + `
			ip addr add 10.0.0.1/24 dev veth
			ip route add 10.7.0.0/16 via 10.0.0.9 dev veth; ip route add 10.8.0.0/16 dev veth; ip route add default via 10.0.0.9
			`, LinkSetUp{Name: "veth", Down: true}, nil},

		{"address", pair, AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24")}, lab.ErrGone},
		{"address on a link that is up", bothUp, AddrAdd{Link: "h.1", Addr: cidr("1.1.1.2/24")}, lab.ErrGone},
		{"host address", bothUp, AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/32")}, lab.ErrGone},
		{"loopback address", bothUp, AddrAdd{Link: "veth", Addr: cidr("127.5.0.1/16")}, lab.ErrGone},
		{"secondary address", bothUp + "ip addr add 1.1.1.1/24 dev veth", AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24")}, lab.ErrGone},
		{"address in a namespace", netns("ns1") + "ip -n ns1 " + pair[3:], AddrAdd{NS: "ns1", Link: "veth", Addr: cidr("10.0.0.1/31")}, lab.ErrGone},
		{"first address of a link with routes", bothUp + `
			ip route add 10.0.0.0/24 dev veth; ip route add 10.7.0.0/16 via 10.0.0.9 dev veth
			`, AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24")}, lab.ErrGone},

		{"link route", bothUp, RouteAdd{Dst: cidr("169.254.1.1/32"), Dev: "veth", Scope: "link"}, lab.ErrGone},
		{"route without a scope", bothUp, RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "h.1"}, lab.ErrGone},
		{"route of scope global", bothUp, RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "veth", Scope: "global"}, lab.ErrGone},
		{"route of scope host", bothUp, RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "veth", Scope: "host"}, lab.ErrGone},
		{"default route over a gateway", bothUp + "ip route add 169.254.1.1 dev veth", RouteAdd{Dst: anywhere, Via: ip4("169.254.1.1"), Dev: "veth"}, lab.ErrGone},
		{"default route over a link", bothUp, RouteAdd{Dst: anywhere, Dev: "veth"}, lab.ErrGone},
		{"route in a namespace", netns("ns1") + "ip -n ns1 " + pair[3:] + "ip -n ns1 link set veth up", RouteAdd{NS: "ns1", Dst: cidr("10.0.0.0/8"), Dev: "veth"}, lab.ErrGone},

		{"sysctl", "", SysctlSet{Key: "net/ipv4/conf/lo/proxy_arp", Value: "1"}, nil},
		{"sysctl that is so already", "", SysctlSet{Key: "net/ipv4/conf/lo/proxy_arp", Value: "0"}, nil},
		{"sysctl of a device with a dot", pair, SysctlSet{Key: "net/ipv4/conf/h.1/proxy_arp", Value: "1"}, nil},
		{"sysctl of a neighbour table", pair, SysctlSet{Key: "net/ipv4/neigh/h.1/proxy_delay", Value: "0"}, nil},
		{"sysctl in a namespace", netns("ns1"), SysctlSet{NS: "ns1", Key: "net/ipv4/ip_forward", Value: "1"}, nil},
		{"sysctl of several words", "", SysctlSet{Key: "net/ipv4/ip_local_port_range", Value: "2000 3001"}, nil},
		{"sysctl that was empty", "", SysctlSet{Key: "net/ipv4/ip_local_reserved_ports", Value: "8080"}, nil},
		{"sysctl that becomes empty", "sysctl -qw net.ipv4.ip_local_reserved_ports=8080", SysctlSet{Key: "net/ipv4/ip_local_reserved_ports", Value: ""}, nil},
		{"sysctl default, which is copied", pair + "sysctl -qw net.ipv4.conf.veth.rp_filter=2", SysctlSet{Key: "net/ipv4/conf/default/rp_filter", Value: "1"}, nil},
		{"IPv6 forwarding, of all", pair + "sysctl -qw net/ipv6/conf/h.1/forwarding=1", SysctlSet{Key: "net/ipv6/conf/all/forwarding", Value: "1"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, tt.setup)
			before := b.dump()
			undo := b.inverse(tt.op)
			b.apply(tt.op)
			after := b.dump()
			b.apply(undo...)
			b.resembles(before, "after the undo")
			for _, o := range undo[:min(1, len(undo))] {
				if tt.again == nil {
					b.apply(o)
				} else {
					b.refuses(tt.again, o)
				}
			}
			b.resembles(before, "after the undo, twice")

			b.types(tt.op)
			b.resembles(after, "after the printed command")
			if err := tt.op.Verify(b.k); err != nil {
				t.Errorf("read-back of what the printed command did: %v", err)
			}
			b.types(undo...)
			b.resembles(before, "after the undo's printed commands")
		})
	}
}

// What an undo is about may be gone, with its namespace too: it says so.
func TestUndoOfWhatVanished(t *testing.T) {
	sysctl := func(ns string) SysctlRestore {
		return SysctlRestore{NS: ns, Values: []SysctlWas{{Key: "net/ipv4/conf/veth/proxy_arp", Was: "0", Left: "1"}}}
	}
	undos := func(ns, to string) []lab.Op {
		return []lab.Op{
			LinkDel{NS: ns, Name: "veth"},
			LinkSetNetns{NS: ns, Name: "veth", To: to},
			LinkSetUp{NS: ns, Name: "veth", Down: true},
			AddrDel{NS: ns, Link: "veth", Addr: cidr("1.1.1.2/24")},
			RouteDel{NS: ns, Dst: cidr("1.1.1.0/24"), Dev: "veth"},
			sysctl(ns),
		}
	}
	for _, tt := range []struct {
		name  string
		setup string
		undos []lab.Op
	}{
		{"the device", netns("ns1"), undos("", "ns1")},
		{"the device, of a namespace", netns("ns1"), undos("ns1", "")},
		{"the namespace", "", append(undos("ns1", ""), NetnsDel{Name: "ns1"})},
		{"the namespace, but for its file", stale, undos("ns1", "")},
		{"the namespace that a link came from", pair, []lab.Op{LinkSetNetns{Name: "veth", To: "ns1"}}},
		{"the address or route alone", bothUp, undos("", "ns1")[3:5]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, tt.setup)
			b.refuses(lab.ErrGone, tt.undos...)
			for _, o := range tt.undos {
				switch o.(type) {
				case LinkSetNetns, LinkSetUp: // they set: what they set is not there
					continue
				}
				if err := o.Verify(b.k); err != nil {
					t.Errorf("verify %s: %v", o.Command(), err)
				}
			}
		})
	}
}
