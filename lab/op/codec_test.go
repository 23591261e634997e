package op

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"netlab/lab"
)

// filled has every op with every field set.
func filled() []lab.Op {
	return []lab.Op{
		NetnsAdd{Name: "ns1"}, NetnsDel{Name: "ns1"},
		VethAdd{NS: "ns1", Name: "veth", Peer: "h.1", PeerNS: "ns2", MAC: "ee:ee:ee:ee:ee:ee", Queues: 1},
		BridgeAdd{NS: "ns1", Name: "br0"}, LinkDel{NS: "ns1", Name: "veth"},
		LinkSetNetns{NS: "ns1", Name: "veth", To: "ns2"}, LinkSetUp{NS: "ns1", Name: "veth", Down: true},
		LinkSetMaster{NS: "ns1", Name: "veth", Master: "br0"},
		LinkSetAddress{NS: "ns1", Name: "veth", MAC: "ee:ee:ee:ee:ee:ee", Left: "02:00:00:00:00:01"},
		LinkSetMTU{NS: "ns1", Name: "veth", MTU: 1400, Left: 1500},
		AddrAdd{NS: "ns1", Link: "veth", Addr: cidr("1.1.1.2/24"), Scope: "link", Broadcast: ip4("1.1.1.255"), NoPrefixRoute: true},
		AddrDel{NS: "ns1", Link: "veth", Addr: cidr("1.1.1.2/32")},
		AddrRestore{Address: AddrAdd{Link: "veth", Addr: cidr("1.1.1.2/24")}, Broadcast: ip4("1.1.1.255"), Label: "veth:1"},
		RouteAdd{NS: "ns1", Dst: cidr("0.0.0.0/0"), Via: ip4("169.254.1.1"), Dev: "veth", Scope: "global", Src: ip4("1.1.1.2"), Onlink: true, Type: "local", Proto: "static"},
		RouteDel{NS: "ns1", Dst: cidr("1.1.1.0/24"), Dev: "veth", Scope: "link"},
		RouteDelAny{NS: "ns1", Dst: cidr("0.0.0.0/0"), Dev: "veth"},
		RouteRestore{Route: RouteAdd{Dst: cidr("0.0.0.0/0"), Dev: "veth"}, Table: 7, Proto: "dhcp", Metric: 100, TOS: 16, MTU: 1400},
		NeighAdd{NS: "ns1", Dev: "veth", Addr: ip4("1.1.1.2"), MAC: "02:00:00:00:00:01"}, NeighDel{NS: "ns1", Dev: "veth", Addr: ip4("1.1.1.2")},
		SysctlSet{NS: "ns1", Key: "net/ipv4/ip_forward", Value: "1"},
		SysctlRestore{NS: "ns1", Values: []SysctlWas{{Key: "net/ipv4/ip_forward", Was: "0", Left: "1", Follows: true}}},
	}
}

func TestOpsAsJSON(t *testing.T) {
	if len(filled())+len(firewallKinds()) != len(kinds()) {
		t.Fatalf("%d kinds tested, of %d", len(filled()), len(kinds())-len(firewallKinds()))
	}
	seen := map[string]bool{}
	for _, o := range kinds() {
		if seen[o.Kind()] {
			t.Errorf("two kinds are called %s", o.Kind())
		}
		seen[o.Kind()] = true
	}
	for _, o := range append(filled(), kinds()...) {
		data, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Codec{}.Decode(o.Kind(), data)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if diff := cmp.Diff(o, again, cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})); diff != "" {
			t.Errorf("%s (-encoded +decoded):\n%s", data, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ kind, data string }{
		"an unknown kind":        {"route-replace", `{"dev":"veth"}`},
		"no kind":                {"", `{}`},
		"a kind's Go name":       {"RouteAdd", `{}`},
		"an unknown field":       {"netns-add", `{"name":"ns1","owner":"x"}`},
		"an unknown inner field": {"sysctl-restore", `{"values":[{"key":"net/ipv4/ip_forward","now":"1"}]}`},
		"a field of another op":  {"addr-del", `{"link":"veth","dev":"veth"}`},
		"another type":           {"link-set-up", `{"name":"veth","down":"no"}`},
		"no prefix":              {"addr-add", `{"link":"veth","addr":"1.1.1.2"}`},
		"no address":             {"route-add", `{"dst":"0.0.0.0/0","via":"gateway"}`},
		"nothing":                {"netns-del", ``},
		"null":                   {"netns-del", ` null `},
		"a list":                 {"netns-del", `[{"name":"ns1"}]`},
		"half an op":             {"netns-del", `{"name":"ns1"`},
		"two ops":                {"netns-del", `{"name":"ns1"}{"name":"ns2"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if o, err := (Codec{}).Decode(tt.kind, []byte(tt.data)); err == nil {
				t.Errorf("%s %s is %#v", tt.kind, tt.data, o)
			}
		})
	}
}

// What can be decoded is encoded to the same again, and whatever it says, the
// questions that read nothing have an answer.
func FuzzDecode(f *testing.F) {
	for _, o := range append(filled(), kinds()...) {
		data, err := json.Marshal(o)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(o.Kind(), data)
	}
	f.Add("sysctl-restore", []byte(`{"values":[]}`))
	f.Add("addr-add", []byte(`{"addr":"::ffff:1.1.1.2/120"}`))
	f.Add("route-add", []byte(`{"dst":"1.1.1.1/0","via":"fe80::1%veth"}`))
	f.Add("netns-add", []byte(`{"name":"it's \u0000"} `))
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		o, err := Codec{}.Decode(kind, data)
		if err != nil {
			return
		}
		if o.Kind() != kind {
			t.Fatalf("a %s is decoded as %s", kind, o.Kind())
		}
		first, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Codec{}.Decode(kind, first)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		second, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(first), string(second)); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
		ask(o)
		for _, undo := range o.Undo() {
			ask(undo)
		}
	})
}

// ask panics where an op does.
func ask(o lab.Op) {
	_ = o.Command().String()
	if m, ok := o.(lab.Maker); ok {
		m.Makes()
	}
	if d, ok := o.(lab.Dweller); ok {
		d.Within()
	}
	if s, ok := o.(lab.Sharer); ok {
		s.Shared()
	}
	if s, ok := o.(lab.Scripter); ok {
		s.Script()
	}
}
