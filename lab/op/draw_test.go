package op

import (
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
		"netns-del", "link-del", "addr-del", "route-del", "sysctl-restore",
		"iptables-delete", "iptables-del-chain", "nft-table-del", "nft-chain-del", "nft-rule-del",
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
