package machine

import (
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

func facts(t *testing.T, k *kernel.Kernel, outside netip.Addr, link string) lab.Facts {
	t.Helper()
	f, err := Facts(k, outside, link)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFactsOfAHost(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := pretendHost(t)
	host := namespace(t, k, kernel.Host)
	none := netip.Addr{}
	want := lab.Facts{IPv6: haveIPv6(), Uplink: Uplink, Router: UplinkAddr, HostAddr: HostAddr, Outside: UplinkAddr}
	if diff := cmp.Diff(want, facts(t, k, none, "")); diff != "" {
		t.Errorf("outside is the gateway: %s", diff)
	}
	want.Outside = "198.51.100.1"
	if diff := cmp.Diff(want, facts(t, k, netip.MustParseAddr("198.51.100.1"), "")); diff != "" {
		t.Errorf("outside is given: %s", diff)
	}

	t.Run("rp_filter", func(t *testing.T) {
		for _, tt := range []struct {
			name                 string
			all, def, own, given string
			want                 int
		}{
			{"all", "1", "0", "0", "", 1},
			{"default", "0", "2", "0", "", 2},
			{"the larger", "1", "2", "0", "", 2},
			{"a device that is there", "0", "2", "1", Uplink, 1},
			{"a device that is not there", "0", "2", "1", "veth", 2},
		} {
			for dev, value := range map[string]string{"all": tt.all, "default": tt.def, Uplink: tt.own} {
				if err := host.SetSysctl("net/ipv4/conf/"+dev+"/rp_filter", value); err != nil {
					t.Fatal(err)
				}
			}
			if got := facts(t, k, none, tt.given).RPFilter; got != tt.want {
				t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
			}
		}
		for _, dev := range []string{"all", "default", Uplink} {
			if err := host.SetSysctl("net/ipv4/conf/"+dev+"/rp_filter", "0"); err != nil {
				t.Fatal(err)
			}
		}
	})

	t.Run("switches", func(t *testing.T) {
		set := func(key, value string) {
			t.Helper()
			if err := host.SetSysctl(key, value); err != nil {
				t.Fatal(err)
			}
		}
		set("net/ipv4/ip_forward", "1")
		if !facts(t, k, none, "").IPForward {
			t.Error("the host routes, and the facts don't say so")
		}
		set("net/ipv4/ip_forward", "0")
		if _, err := host.Sysctl(bridgeFirewall); err != nil {
			t.Skipf("br_netfilter is not loaded: %v", err)
		}
		set(bridgeFirewall, "1")
		if !facts(t, k, none, "").BridgeFirewall {
			t.Error("bridged frames are filtered, and the facts don't say so")
		}
		set(bridgeFirewall, "0")
	})

	t.Run("several default routes", func(t *testing.T) {
		for _, r := range []*netlink.Route{
			{Gw: net.ParseIP("192.0.2.9"), Priority: 50},
			{Type: unix.RTN_UNREACHABLE, Dst: everywhere(), Priority: 1},
		} {
			// The one with metric 0 is still the first.
			if err := host.Netlink.RouteAdd(r); err != nil {
				t.Fatal(err)
			}
		}
		if got := facts(t, k, none, "").Outside; got != UplinkAddr {
			t.Errorf("outside is %s, want %s", got, UplinkAddr)
		}
		if err := host.Netlink.RouteDel(&netlink.Route{Gw: net.ParseIP(UplinkAddr), Dst: everywhere()}); err != nil {
			t.Fatal(err)
		}
		if got := facts(t, k, none, "").Outside; got != "192.0.2.9" {
			t.Errorf("outside is %s, want 192.0.2.9", got)
		}
	})

	t.Run("uplink down", func(t *testing.T) {
		link, err := host.Link(Uplink)
		if err != nil {
			t.Fatal(err)
		}
		if err := host.Netlink.LinkSetDown(link); err != nil {
			t.Fatal(err)
		}
		want := lab.Facts{IPv6: haveIPv6()}
		if diff := cmp.Diff(want, facts(t, k, none, "")); diff != "" {
			t.Error(diff)
		}
		want.Outside = Server
		if diff := cmp.Diff(want, facts(t, k, netip.MustParseAddr(Server), "")); diff != "" {
			t.Error(diff)
		}
	})
}

func everywhere() *net.IPNet {
	return &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}
}

func TestFactsOfASandboxAreThoseForetold(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := pretendHost(t)
	if err := SandboxMarker("x").Write(); err != nil {
		t.Fatal(err)
	}
	m, here, err := Here()
	if err != nil || !here {
		t.Fatalf("Here: %v, %v", here, err)
	}
	if m != SandboxMarker("x") {
		t.Errorf("the marker came back as %+v", m)
	}
	if diff := cmp.Diff(SandboxFacts(), facts(t, k, netip.Addr{}, "")); diff != "" {
		t.Error(diff)
	}
	if err := namespace(t, k, kernel.Host).Netlink.RouteDel(&netlink.Route{Dst: everywhere()}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(SandboxFacts(), facts(t, k, netip.Addr{}, "")); diff != "" {
		t.Errorf("without its default route: %s", diff)
	}
}

func TestMultipathDefaultRouteCounts(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := pretendHost(t)
	host := namespace(t, k, kernel.Host)
	link, err := host.Link(Uplink)
	if err != nil {
		t.Fatal(err)
	}
	hop := func(gw string) *netlink.NexthopInfo {
		return &netlink.NexthopInfo{LinkIndex: link.Attrs().Index, Gw: net.ParseIP(gw)}
	}
	err = host.Netlink.RouteReplace(&netlink.Route{
		Dst: everywhere(), MultiPath: []*netlink.NexthopInfo{hop("192.0.2.1"), hop("192.0.2.3")},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := facts(t, k, netip.Addr{}, "")
	if got.Uplink != Uplink || got.Outside != UplinkAddr || got.HostAddr != HostAddr {
		t.Errorf("got %+v", got)
	}
}
