package op

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"netlab/lab"
)

// A new kind of op is drawn, or it is said here that there is nothing to draw.
func TestEveryOpIsDrawnOrHasNothingToDraw(t *testing.T) {
	nothing := []string{
		// They take back.
		"netns-del", "link-del", "addr-restore", "route-restore", "sysctl-restore",
		"iptables-delete", "iptables-restore", "iptables-del-chain", "nft-table-del", "nft-chain-del", "nft-rule-del",
		// They are drawn with their rule.
		"nft-table-add", "nft-chain-add",
	}
	for _, o := range kinds() {
		_, draws := o.(lab.Drawer)
		if listed := slices.Contains(nothing, o.Kind()); draws == listed {
			t.Errorf("%s: draws %v, listed as drawing nothing %v", o.Kind(), draws, listed)
		}
	}
}

// What one op draws is in the picture: each name that the op has is somewhere.
func TestOpsDrawWhatTheyName(t *testing.T) {
	for _, tt := range []struct {
		op   lab.Op
		want []string
	}{
		{NetnsAdd{Name: "blue"}, []string{"blue"}},
		{VethAdd{NS: "blue", Name: "left", Peer: "right"}, []string{"blue", "left", "right"}},
		{VethAdd{NS: "blue", Name: "left", Peer: "right", PeerNS: "red"}, []string{"blue", "left", "red", "right"}},
		{BridgeAdd{NS: "blue", Name: "br0"}, []string{"blue", "br0", "bridge"}},
		{VethAdd{Name: "left", Peer: "right", MAC: "EE:EE:EE:EE:EE:EE"}, []string{"ee:ee:ee:ee:ee:ee"}},
		{LinkSetAddress{Name: "left", MAC: "EE:EE:EE:EE:EE:EE"}, []string{"left", "ee:ee:ee:ee:ee:ee"}},
		{LinkSetMTU{Name: "left", MTU: 1400}, []string{"left", "mtu", "1400"}},
		{IptablesPolicy{Chain: "FORWARD", Policy: "DROP"}, []string{"FORWARD", "-P DROP"}},
		{NftRuleAdd{Family: "ip", Table: "t", Chain: "c", Saddr: cidr("10.9.0.0/16"), Drop: true}, []string{"filter", "ip saddr 10.9.0.0/16 drop"}},
		{NeighAdd{Dev: "left", Addr: netip.MustParseAddr("10.9.0.1"), MAC: "02:00:5E:00:53:01"}, []string{"10.9.0.1", "02:00:5e:00:53:01"}},
		{LinkSetMaster{NS: "blue", Name: "left", Master: "br0"}, []string{"blue", "left", "br0"}},
		{RouteAdd{NS: "blue", Dst: cidr("10.9.0.0/16"), Type: "blackhole"}, []string{"blue", "blackhole", "10.9.0.0/16"}},
		{SysctlSet{NS: "blue", Key: "net/ipv4/conf/all/proxy_arp", Value: "1"}, []string{"blue", "all/proxy_arp"}},
		{SysctlSet{Key: "net/ipv4/neigh/left/proxy_delay", Value: "0"}, []string{"left", "proxy_delay"}},
		{SysctlSet{Key: "net/ipv4/ip_forward", Value: "1"}, []string{"ip_forward"}},
		{IptablesAppend{Table: "nat", Chain: "POSTROUTING", Match: []string{"-o", "up0"}, Comment: "netlab:x", Jump: "MASQUERADE"},
			[]string{"nat", "POSTROUTING", "-o up0 -j MASQUERADE"}},
	} {
		p := lab.PictureAt(lab.Facts{}, []lab.Step{{Ops: []lab.Op{tt.op}}}, "")
		text := everything(reflect.ValueOf(p))
		for _, want := range tt.want {
			if !strings.Contains(text, want+"\n") {
				t.Errorf("%s: no %q in the picture:\n%s", tt.op.Command(), want, text)
			}
		}
		if strings.Contains(text, "netlab:") {
			t.Errorf("%s: the comment is drawn", tt.op.Command())
		}
	}
	quiet := lab.PictureAt(lab.Facts{}, []lab.Step{{Ops: []lab.Op{SysctlSet{Key: "net/ipv6/conf/left/disable_ipv6", Value: "1"}}}}, "")
	if text := everything(reflect.ValueOf(quiet)); strings.TrimSpace(text) != "" {
		t.Errorf("disable_ipv6 is drawn:\n%s", text)
	}
}

// What a lab deletes while it runs is not in the picture after that.
func TestDeletionsAreUndrawn(t *testing.T) {
	address := AddrAdd{NS: "blue", Link: "left", Addr: cidr("10.0.0.1/24")}
	route := RouteAdd{NS: "blue", Dst: cidr("10.9.0.0/16"), Dev: "left", Scope: "link"}
	local := RouteAdd{NS: "blue", Dst: cidr("10.8.0.1/32"), Dev: "left", Type: "local"}
	neigh := NeighAdd{NS: "blue", Dev: "left", Addr: netip.MustParseAddr("10.9.0.1"), MAC: "02:00:5E:00:53:01"}
	ops := []lab.Op{neigh, address, route, local, LinkSetMaster{NS: "blue", Name: "left", Master: "br0"}}
	gone := append(slices.Clone(ops), NeighDel(neigh), AddrDel(address), RouteDelAny{NS: "blue", Dst: route.Dst, Dev: "left"}, RouteDel(local), LinkSetMaster{NS: "blue", Name: "left"})
	for _, tt := range []struct {
		ops  []lab.Op
		want bool
	}{{ops, true}, {gone, false}} {
		text := everything(reflect.ValueOf(lab.PictureAt(lab.Facts{}, []lab.Step{{Ops: tt.ops}}, "")))
		for _, word := range []string{"10.0.0.1/24", "10.9.0.0/16", "local", "10.8.0.1", "br0", "02:00:5e:00:53:01"} {
			if strings.Contains(text, word+"\n") != tt.want {
				t.Errorf("%q drawn: not %v:\n%s", word, tt.want, text)
			}
		}
	}
}

// everything is every string in a value, a line each.
func everything(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		return everything(v.Elem())
	case reflect.String:
		return v.String() + "\n"
	}
	text := ""
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			text += everything(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			text += everything(v.Index(i))
		}
	}
	return text
}
