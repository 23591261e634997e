package op

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"net/netip"

	"netlab/lab"
)

// What an op shows, is that op again; but for what its command does not tell.
func TestParseFindsTheOpOfACommand(t *testing.T) {
	ops := []lab.Op{
		NetnsAdd{Name: "ns1"},
		LinkSetUp{NS: "ns1", Name: "veth"}, LinkSetUp{Name: "veth", Down: true},
		LinkSetMaster{Name: "veth", Master: "br0"}, LinkSetMaster{NS: "ns1", Name: "veth"},
		LinkSetAddress{NS: "ns1", Name: "veth", MAC: "02:00:00:00:00:01"},
		LinkSetMTU{Name: "veth", MTU: 1400},
		AddrAdd{NS: "ns1", Link: "veth", Addr: cidr("1.1.1.2/24")}, AddrDel{Link: "veth", Addr: cidr("1.1.1.2/32")},
		RouteAdd{NS: "ns1", Dst: cidr("0.0.0.0/0"), Via: ip4("169.254.1.1"), Dev: "veth", Src: ip4("1.1.1.2"), Onlink: true},
		RouteAdd{Dst: cidr("1.1.1.0/24"), Dev: "veth", Scope: "link", Proto: "static"},
		RouteAdd{Dst: cidr("10.0.0.0/8"), Type: "blackhole"},
		RouteDel{Dst: cidr("1.1.1.0/24"), Dev: "veth", Scope: "link"},
		RouteDelAny{NS: "ns1", Dst: cidr("0.0.0.0/0"), Dev: "veth"},
		NeighAdd{NS: "ns1", Dev: "veth", Addr: ip4("1.1.1.2"), MAC: "02:00:00:00:00:01"},
		SysctlSet{NS: "ns1", Key: "net/ipv4/ip_forward", Value: "1"}, SysctlSet{Key: "net/ipv4/conf/h.1/proxy_arp", Value: "1"},
		IptablesAppend{Table: "nat", Chain: "POSTROUTING", Match: []string{"-s", "1.1.1.0/24"}, Comment: "netlab:x", Jump: "MASQUERADE", NFT: true},
		IptablesInsert{Table: "filter", Chain: "FORWARD", Match: []string{"!", "-i", "veth"}, Jump: "DROP", NFT: true},
		IptablesDelete{Table: "filter", Chain: "FORWARD", Jump: "DROP", NFT: true},
		IptablesPolicy{Chain: "FORWARD", Policy: "DROP", NFT: true},
		NftTableAdd{Family: "ip", Table: "t"},
		NftChainAdd{"ip", "t", "c", "nat", "postrouting", 100, "accept"}, NftChainAdd{"ip", "t", "c", "filter", "forward", 0, "drop"}, NftChainAdd{"ip", "t", "c", "filter", "forward", -5, "drop"},
		NftRuleAdd{"ip", "t", "c", cidr("1.1.1.0/24"), "a comment", true}, NftRuleAdd{"ip", "t", "c", cidr("1.1.1.0/24"), "x", false},
	}
	for _, o := range ops {
		command, err := lab.ParseCommand(o.Command().String())
		if err != nil || !slices.Equal(command, o.Command()) {
			t.Fatalf("%s is read as %q, %v", o.Command(), command, err)
		}
		got, err := Parse(command, true)
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(o, got, cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", command, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for line, want := range map[string]error{
		"":                                       ErrUnknownCommand,
		"rm -rf /":                               ErrUnknownCommand,
		"ip":                                     ErrUnknownCommand,
		"ip route":                               ErrUnknownCommand,
		"ip link set veth promisc on":            ErrUnknownCommand,
		"ip netns exec ns1":                      ErrUnknownCommand,
		"ip netns exec ns1 nft add table ip t":   ErrUnknownCommand,
		"ip addr add 1.1.1.2/24 dev":             nil,
		"ip addr add 1.1.1.2 dev veth":           nil,
		"ip route add":                           nil,
		"ip route add default gw 1.1.1.1":        nil,
		"ip route add 1.1.1.0/24 dev veth mtu 9": nil,
		"ip link set veth mtu big":               nil,
		"ip neigh replace x lladdr y dev z":      nil,
		"iptables -A FORWARD":                    nil,
		"iptables -A FORWARD -j DROP -i veth":    nil,
		"iptables":                               nil,
		"sysctl -w net.ipv4.ip_forward":          ErrUnknownCommand,
		"sysctl -w net/ipv4/ip_forward=1":        nil,
		"nft add rule ip t c ip daddr 1.1.1.1/32 counter drop":                              nil,
		"nft add chain ip t c '{ type filter hook nowhere priority filter; policy drop; }'": nil,
	} {
		command, err := lab.ParseCommand(line)
		if err != nil {
			t.Fatal(err)
		}
		if o, err := Parse(command, false); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s is %#v, %v", line, o, err)
		}
	}
	for _, line := range []string{`a 'b`, `a "b`, `a\`} {
		if c, err := lab.ParseCommand(line); !errors.Is(err, lab.ErrQuotes) {
			t.Errorf("%s is %q, %v", line, c, err)
		}
	}
}
