package scenarios

import (
	"net/netip"
	"testing"
)

// Whatever is chosen, what the lab chooses besides is something else.
func TestScopeFindsAddressesOfItsOwn(t *testing.T) {
	for _, tt := range []struct{ subnet, gateway string }{
		{"1.1.1.0/24", "169.254.1.1"},
		{"198.0.0.0/8", "203.0.113.255"},
		{"203.0.0.0/8", "198.51.100.254"},
		{"192.0.0.0/8", "172.31.254.255"},
		{"10.0.0.0/8", "172.16.9.7"},
		{"172.0.0.0/8", "10.9.9.9"},
		{"192.168.9.0/30", "10.9.9.7"},
	} {
		v := Scope().Defaults()
		v["subnet"], v["gateway"] = tt.subnet, tt.gateway
		if err := Scope().Check(v); err != nil {
			t.Fatal(err)
		}
		c := newScope(Setting{Values: v})
		all := []netip.Prefix{c.address.Masked(), single(c.gateway), single(c.wide), single(c.narrow), c.far, c.other, single(c.own)}
		for i, p := range all {
			if overlaps(all[:i], p) {
				t.Errorf("%+v: %s is not apart from the others: %s", tt, p, all)
			}
		}
	}
}
