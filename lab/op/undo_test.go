package op

import (
	"testing"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

const pair = "ip link add veth type veth peer name h.1\n"
const bridge = "ip link add br0 type bridge\n"
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

		{"veth with its peer elsewhere", netns("ns1"), VethAdd{Name: "veth", Peer: "c-eth0", PeerNS: "ns1"}, lab.ErrGone},
		{"veth between two namespaces", netns("ns1") + netns("ns2"), VethAdd{NS: "ns1", Name: "veth", Peer: "c-eth0", PeerNS: "ns2"}, lab.ErrGone},
		{"veth with one queue", netns("ns1"), VethAdd{Name: "veth", Peer: "c-eth0", PeerNS: "ns1", Queues: 1}, lab.ErrGone},
		{"veth with a MAC", netns("ns1"), VethAdd{Name: "veth", Peer: "c-eth0", PeerNS: "ns1", MAC: "ee:ee:ee:ee:ee:ee"}, lab.ErrGone},

		{"bridge", "", BridgeAdd{Name: "br0"}, lab.ErrGone},
		{"bridge in a namespace", netns("ns1"), BridgeAdd{NS: "ns1", Name: "br0"}, lab.ErrGone},
		{"port", pair + bridge + "ip link set h.1 master br0", LinkSetMaster{Name: "veth", Master: "br0"}, nil},
		{"port already", pair + bridge + "ip link set veth master br0", LinkSetMaster{Name: "veth", Master: "br0"}, nil},
		{"port taken out", pair + bridge + "ip link set h.1 master br0; ip link set veth master br0", LinkSetMaster{Name: "veth"}, nil},
		{"MAC", pair, LinkSetAddress{Name: "veth", MAC: "ee:ee:ee:ee:ee:ee"}, nil},
		{"MAC that is so already", pair + "ip link set veth address ee:ee:ee:ee:ee:ee", LinkSetAddress{Name: "veth", MAC: "EE:ee:ee:ee:ee:ee"}, nil},
		{"MAC in a namespace", netns("ns1") + "ip -n ns1 " + pair[3:], LinkSetAddress{NS: "ns1", Name: "veth", MAC: "02:00:00:00:00:07"}, nil},

		{"neighbour", bothUp, NeighAdd{Dev: "veth", Addr: ip4("1.1.1.2"), MAC: "02:00:00:00:00:07"}, lab.ErrGone},
		{"neighbour in a namespace", netns("ns1") + "ip -n ns1 " + pair[3:] + "ip -n ns1 link set veth up",
			NeighAdd{NS: "ns1", Dev: "veth", Addr: ip4("1.1.1.2"), MAC: "02:00:00:00:00:07"}, lab.ErrGone},
		{"neighbour that was learned", bothUp + "ip neigh add 1.1.1.2 dev veth lladdr 02:00:00:00:00:08 nud stale",
			NeighAdd{Dev: "veth", Addr: ip4("1.1.1.2"), MAC: "02:00:00:00:00:07"}, lab.ErrGone},
		{"neighbour taken away", bothUp + "ip neigh add 1.1.1.2 dev veth lladdr 02:00:00:00:00:07",
			NeighDel{Dev: "veth", Addr: ip4("1.1.1.2"), MAC: "02:00:00:00:00:07"}, nil},

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
		{"address with its broadcast", bothUp, AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24"), Broadcast: ip4("1.1.1.255")}, lab.ErrGone},
		{"secondary address", bothUp + "ip addr add 1.1.1.1/24 dev veth", AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24")}, lab.ErrGone},
		{"address in a namespace", netns("ns1") + "ip -n ns1 " + pair[3:], AddrAdd{NS: "ns1", Link: "veth", Addr: cidr("10.0.0.1/31")}, lab.ErrGone},
		{"first address of a link with routes", bothUp + `
			ip route add 10.0.0.0/24 dev veth; ip route add 10.7.0.0/16 via 10.0.0.9 dev veth
			`, AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24")}, lab.ErrGone},
		{"address of scope host", bothUp + "ip link set lo up", AddrAdd{Link: "lo", Addr: cidr("10.9.9.9/32"), Scope: "host"}, lab.ErrGone},
		{"address of scope link", bothUp, AddrAdd{Link: "veth", Addr: cidr("10.9.9.9/24"), Scope: "link"}, lab.ErrGone},
		{"loopback address of scope global", bothUp, AddrAdd{Link: "veth", Addr: cidr("127.5.0.1/16"), Scope: "global"}, lab.ErrGone},
		{"address without a prefix route", bothUp, AddrAdd{Link: "veth", Addr: cidr("10.9.9.9/24"), NoPrefixRoute: true}, lab.ErrGone},
		{"address taken off", bothUp + "ip addr add 10.0.0.1/24 dev veth; ip addr add 10.7.0.1/24 dev veth", AddrDel{Link: "veth", Addr: cidr("10.7.0.1/24")}, nil},
		{"address taken off before a wider one", bothUp + "ip addr add 10.7.0.1/24 scope link dev veth; ip addr add 10.0.0.1/24 dev veth",
			AddrDel{Link: "veth", Addr: cidr("10.7.0.1/24"), Scope: "link"}, nil},
		{"second address of a subnet taken off", bothUp + "ip addr add 10.7.0.1/24 dev veth; ip addr add 10.7.0.2/24 dev veth", AddrDel{Link: "veth", Addr: cidr("10.7.0.2/24")}, nil},
		{"address with a label and a broadcast address taken off", bothUp + "ip addr add 10.7.0.1/24 brd + label veth:1 dev veth", AddrDel{Link: "veth", Addr: cidr("10.7.0.1/24")}, nil},
		{"address without a prefix route taken off", bothUp + "ip addr add 10.7.0.1/24 noprefixroute dev veth", AddrDel{Link: "veth", Addr: cidr("10.7.0.1/24"), NoPrefixRoute: true}, nil},
		{"last address taken off with the link's routes", bothUp + `
			ip addr add 10.7.0.1/24 dev veth; ip route add default via 10.7.0.9; ip route add 10.8.0.0/16 dev veth src 10.7.0.1
			`, AddrDel{Link: "veth", Addr: cidr("10.7.0.1/24")}, nil},
		{"address taken off with routes that have it for a source", bothUp + `
			ip addr add 10.6.0.1/24 dev veth; ip addr add 10.7.0.1/24 dev veth; ip addr add 10.5.0.1/24 dev h.1
			ip route add 10.8.0.0/16 dev veth src 10.7.0.1 proto static metric 9; ip route add 10.9.0.0/16 via 10.5.0.9 src 10.7.0.1 table 7
			`, AddrDel{Link: "veth", Addr: cidr("10.7.0.1/24")}, nil},

		{"link route", bothUp, RouteAdd{Dst: cidr("169.254.1.1/32"), Dev: "veth", Scope: "link"}, lab.ErrGone},
		{"route without a scope", bothUp, RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "h.1"}, lab.ErrGone},
		{"route of scope global", bothUp, RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "veth", Scope: "global"}, lab.ErrGone},
		{"route of scope host", bothUp, RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "veth", Scope: "host"}, lab.ErrGone},
		{"default route over a gateway", bothUp + "ip route add 169.254.1.1 dev veth", RouteAdd{Dst: anywhere, Via: ip4("169.254.1.1"), Dev: "veth"}, lab.ErrGone},
		{"default route over a link", bothUp, RouteAdd{Dst: anywhere, Dev: "veth"}, lab.ErrGone},
		{"route in a namespace", netns("ns1") + "ip -n ns1 " + pair[3:] + "ip -n ns1 link set veth up", RouteAdd{NS: "ns1", Dst: cidr("10.0.0.0/8"), Dev: "veth"}, lab.ErrGone},
		{"default route onlink", bothUp + "ip link set lo up", RouteAdd{Dst: anywhere, Via: ip4("169.254.1.1"), Dev: "veth", Onlink: true}, lab.ErrGone},
		{"route with a source", bothUp + "ip addr add 10.0.0.1/24 dev veth", RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "h.1", Src: ip4("10.0.0.1")}, lab.ErrGone},
		{"route with everything", bothUp + "ip addr add 10.0.0.1/24 dev veth",
			RouteAdd{Dst: anywhere, Via: ip4("169.254.1.1"), Dev: "veth", Scope: "global", Src: ip4("10.0.0.1"), Onlink: true}, lab.ErrGone},
		{"local route", bothUp + "ip link set lo up", RouteAdd{Dst: cidr("10.9.9.9/32"), Dev: "lo", Type: "local"}, lab.ErrGone},
		{"blackhole", "", RouteAdd{Dst: cidr("10.9.0.0/16"), Type: "blackhole"}, lab.ErrGone},
		{"unreachable", netns("ns1"), RouteAdd{NS: "ns1", Dst: cidr("10.9.0.0/16"), Type: "unreachable"}, lab.ErrGone},
		{"prohibit", "", RouteAdd{Dst: anywhere, Type: "prohibit"}, lab.ErrGone},

		{"route of ours taken away", bothUp + "ip addr add 10.0.0.1/24 dev veth; ip route add default via 10.0.0.9", RouteDel{Dst: anywhere, Via: ip4("10.0.0.9"), Dev: "veth"}, nil},
		{"connected route taken away", bothUp + "ip addr add 10.0.0.1/24 dev veth",
			RouteDel{Dst: cidr("10.0.0.0/24"), Dev: "veth", Scope: "link", Src: ip4("10.0.0.1"), Proto: "kernel"}, nil},
		{"blackhole taken away", "ip route add blackhole 10.9.0.0/16", RouteDel{Dst: cidr("10.9.0.0/16"), Type: "blackhole"}, nil},
		{"default route taken away", bothUp + "ip addr add 10.0.0.1/24 dev veth; ip route add default via 10.0.0.9", RouteDelAny{Dst: anywhere, Dev: "veth"}, nil},
		{"default route of DHCP taken away", bothUp + `
			ip addr add 10.0.0.1/24 dev veth; ip route add default via 10.0.0.9 proto dhcp src 10.0.0.1 metric 100 mtu 1400
			`, RouteDelAny{Dst: anywhere, Dev: "veth"}, nil},
		{"default route of a cloud taken away", bothUp + "ip addr add 10.0.0.1/32 dev veth; ip route add default via 169.254.1.1 dev veth proto static onlink",
			RouteDelAny{Dst: anywhere, Dev: "veth"}, nil},
		{"default route beside another link's taken away", bothUp + "ip route add default dev veth metric 5; ip route add default dev h.1", RouteDelAny{Dst: anywhere, Dev: "veth"}, nil},
		{"connected route taken away", bothUp + "ip addr add 10.0.0.1/24 dev veth", RouteDelAny{Dst: cidr("10.0.0.0/24"), Dev: "veth"}, nil},
		{"route of an odd maker taken away", bothUp + "ip route add 10.9.0.0/16 dev veth proto 99 scope host", RouteDelAny{Dst: cidr("10.9.0.0/16"), Dev: "veth"}, nil},
		{"route of a namespace taken away", netns("ns1") + "ip -n ns1 " + pair[3:] + "ip -n ns1 link set veth up; ip -n ns1 route add 10.9.0.0/16 dev veth metric 7",
			RouteDelAny{NS: "ns1", Dst: cidr("10.9.0.0/16"), Dev: "veth"}, nil},

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
			LinkSetMaster{NS: ns, Name: "veth"},
			LinkSetAddress{NS: ns, Name: "veth", MAC: "02:00:00:00:00:07"},
			NeighDel{NS: ns, Dev: "veth", Addr: ip4("1.1.1.2"), MAC: "02:00:00:00:00:07"},
			AddrRestore{Address: AddrAdd{NS: ns, Link: "veth", Addr: cidr("1.1.1.2/24")}},
			RouteRestore{Route: RouteAdd{NS: ns, Dst: cidr("1.1.1.0/24"), Dev: "veth"}},
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
				case LinkSetNetns, LinkSetUp, LinkSetMaster, LinkSetAddress, AddrRestore, RouteRestore: // they set: what they set is not there
					continue
				}
				if err := o.Verify(b.k); err != nil {
					t.Errorf("verify %s: %v", o.Command(), err)
				}
			}
		})
	}
}
