package iproute

import (
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestNumbersHaveTheNamesOfIproute2(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ got, want string }{
		{Dst(netip.MustParsePrefix("0.0.0.0/0")), "default"},
		{Dst(netip.MustParsePrefix("10.0.0.1/32")), "10.0.0.1"},
		{Dst(netip.MustParsePrefix("10.0.0.0/8")), "10.0.0.0/8"},
		{RouteType(unix.RTN_BLACKHOLE), "blackhole"},
		{RouteType(77), ""},
		{Scope(netlink.SCOPE_UNIVERSE), "global"},
		{Scope(netlink.SCOPE_LINK), "link"},
		{Scope(77), "77"},
		{Table(unix.RT_TABLE_LOCAL), "local"},
		{Table(100), "100"},
		{Proto(unix.RTPROT_DHCP), "dhcp"},
		{Proto(177), "177"},
		{NeighState(unix.NUD_NONE), "NONE"},
		{NeighState(unix.NUD_STALE), "STALE"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, not %q", tt.got, tt.want)
		}
	}
}

func TestNamesOfMakersAreNumbersAgain(t *testing.T) {
	t.Parallel()
	for number := range 256 {
		got, err := ProtoNumber(Proto(number))
		if err != nil || got != number {
			t.Errorf("%d is %q, and that %d: %v", number, Proto(number), got, err)
		}
	}
	if got, err := ProtoNumber(""); err != nil || got != unix.RTPROT_BOOT {
		t.Errorf("no name is %d: %v", got, err)
	}
	for _, name := range []string{"nobody", "256", "-1"} {
		if got, err := ProtoNumber(name); err == nil {
			t.Errorf("%q is %d", name, got)
		}
	}
}
