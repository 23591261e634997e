package machine

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

// articlePlan is what proxyarp asks of a host.
func articlePlan() Plan {
	return Plan{
		Again:      lab.Command{"netlab", "run", "proxyarp"},
		Namespaces: []string{"ns1"}, NameFlag: "--namespace", Name: "ns1",
		SubnetFlag: "--subnet", DefaultRoute: true,
		Links:   []string{"veth", "c-eth0"},
		Subnet:  netip.MustParsePrefix("1.1.1.0/24"),
		Gateway: netip.MustParseAddr("169.254.1.1"),
		Outside: netip.MustParseAddr(Server),
	}
}

func stop(id string, values map[string]string, remedy lab.Command) Finding {
	return Finding{ID: id, Grade: Stop, Values: values, Remedy: remedy}
}

func TestPreflightFindsWhatIsInTheWay(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := pretendHost(t)
	host := namespace(t, k, kernel.Host)
	noResolvers := filepath.Join(t.TempDir(), "none")
	again := func(flags ...string) lab.Command {
		return append(lab.Command{"netlab", "run", "proxyarp"}, flags...)
	}
	look := func(p Plan, files ...string) []Finding {
		t.Helper()
		if files == nil {
			files = []string{noResolvers}
		}
		found, err := Preflight(k, p, files...)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	expect := func(what string, got []Finding, want ...Finding) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}

	before, err := host.Netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	expect("a host like any other", look(articlePlan()))
	now, err := host.Netlink.LinkList()
	if err != nil || len(now) != len(before) {
		t.Errorf("links before and after: %d and %d, %v", len(before), len(now), err)
	}

	resolv := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(resolv, []byte("nameserver 1.1.1.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("the public resolver", look(articlePlan(), resolv), stop(
		SubnetHoldsResolver,
		map[string]string{"subnet": "1.1.1.0/24", "addr": "1.1.1.1", "file": resolv},
		again("--subnet", "10.99.0.0/24"),
	))

	p := articlePlan()
	p.Subnet = netip.MustParsePrefix("192.0.0.0/8")
	expect("the uplink's own network", look(p),
		stop(SubnetHoldsAddress,
			map[string]string{"subnet": "192.0.0.0/8", "addr": HostAddr, "dev": Uplink}, again("--subnet", "10.99.0.0/16")),
		stop(SubnetHoldsOutside,
			map[string]string{"subnet": "192.0.0.0/8", "addr": UplinkAddr, "role": "gateway"}, again("--subnet", "10.99.0.0/16")),
	)

	p = articlePlan()
	p.Subnet = netip.MustParsePrefix("203.0.113.0/24")
	p.Gateway = netip.MustParseAddr(HostAddr)
	expect("outside within, gateway here", look(p),
		stop(GatewayIsLocal,
			map[string]string{"addr": HostAddr, "dev": Uplink}, lab.Command{"ip", "address", "show", "dev", Uplink}),
		stop(SubnetHoldsOutside,
			map[string]string{"subnet": "203.0.113.0/24", "addr": Server, "role": "outside"}, again("--subnet", "10.99.0.0/24")),
	)

	link, err := host.Link(Uplink)
	if err != nil {
		t.Fatal(err)
	}
	wide := &net.IPNet{IP: net.IPv4(1, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}
	narrow := &net.IPNet{IP: net.IPv4(10, 99, 0, 128).To4(), Mask: net.CIDRMask(25, 32)}
	half := &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(1, 32)}
	for _, r := range []*netlink.Route{
		{Dst: wide, LinkIndex: link.Attrs().Index},
		{Dst: narrow, Type: unix.RTN_BLACKHOLE},
		{Dst: half, Gw: net.ParseIP(UplinkAddr)},
	} {
		if err := host.Netlink.RouteAdd(r); err != nil {
			t.Fatal(err)
		}
	}
	expect("a wider route, and the first proposal taken", look(articlePlan()), stop(
		SubnetOverlapsRoute,
		map[string]string{"subnet": "1.1.1.0/24", "dst": "1.0.0.0/8", "dev": Uplink},
		again("--subnet", "10.100.0.0/24"),
	))
	if err := host.Netlink.RouteDel(&netlink.Route{Dst: wide, LinkIndex: link.Attrs().Index}); err != nil {
		t.Fatal(err)
	}

	for _, name := range []string{"ns1", "ns2"} {
		if err := k.AddNetns(name); err != nil {
			t.Fatal(err)
		}
	}
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "veth"}, PeerName: "c-eth0"}
	if err := host.Netlink.LinkAdd(pair); err != nil {
		t.Fatal(err)
	}
	if err := host.Netlink.RouteDel(&netlink.Route{Dst: everywhere(), Gw: net.ParseIP(UplinkAddr)}); err != nil {
		t.Fatal(err)
	}
	expect("taken names, no way out", look(articlePlan()),
		stop(NamespaceTaken, map[string]string{"name": "ns1"}, again("--namespace", "ns3")),
		stop(LinkTaken, map[string]string{"name": "veth"}, lab.Command{"ip", "link", "show", "dev", "veth"}),
		stop(LinkTaken, map[string]string{"name": "c-eth0"}, lab.Command{"ip", "link", "show", "dev", "c-eth0"}),
		stop(NoDefaultRoute, nil, again("--sandbox")),
	)
	expect("a plan that asks for nothing", look(Plan{}))
}

func TestVethIsMissedWithoutMakingOne(t *testing.T) {
	got := judge(articlePlan(), state{
		veth: unix.EOPNOTSUPP,
		hostNet: hostNet{routes: []hostRoute{{
			dst: netip.MustParsePrefix("0.0.0.0/0"), unicast: true, up: true, dev: "eth0",
		}}},
		missing: []string{"CAP_NET_RAW", MissingSysctl},
	})
	want := []Finding{
		stop(NoRight, map[string]string{"missing": "CAP_NET_RAW, /proc/sys/net"}, articlePlan().withRights()),
		stop(NoVeth, map[string]string{"error": unix.EOPNOTSUPP.Error()}, lab.Command{"modprobe", "veth"}),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestABridgeIsMissedWithoutMakingOne(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := kernel.Open()
	t.Cleanup(func() { _ = k.Close() })
	host, err := k.Namespace(kernel.Host)
	if err != nil {
		t.Fatal(err)
	}
	if err := haveBridge(host); err != nil {
		t.Errorf("this kernel has bridges, but: %v", err)
	}
	err = have(host, "unheard of", &netlink.GenericLink{LinkAttrs: never(), LinkType: "netlab-unheard"})
	if !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("a kind that no kernel has: %v, want %v", err, unix.EOPNOTSUPP)
	}
	if links, err := host.Netlink.LinkList(); err != nil || len(links) != 1 { // lo
		t.Errorf("the links are %v, %v", links, err)
	}
	found := judge(Plan{Bridges: true}, state{bridge: unix.EOPNOTSUPP})
	want := []Finding{stop(NoBridge, map[string]string{"error": unix.EOPNOTSUPP.Error()}, lab.Command{"modprobe", "bridge"})}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
}

func TestAnotherNameFitsALink(t *testing.T) {
	for _, tt := range []struct {
		name string
		step int
		want string
	}{
		{"ns1", 1, "ns2"},
		{"ns1", 2, "ns3"},
		{"ns", 1, "ns2"},
		{"ns9", 1, "ns10"},
		{"abcdefghijklmno", 1, "abcdefghijklmn2"},
		{"abcdefghijklmn9", 1, "abcdefghijklm10"},
		{"99", 1, "100"},
	} {
		if got := otherName(tt.name, tt.step, 15); got != tt.want {
			t.Errorf("%s and %d: %s, want %s", tt.name, tt.step, got, tt.want)
		}
	}
}
