package lab_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/op"
	"netlab/scenarios"
)

func pictureFacts() lab.Facts {
	return lab.Facts{Uplink: "up0", HostAddr: "192.0.2.2", Outside: "203.0.113.80", Firewall: "nftables"}
}

func proxyarpSteps(t *testing.T, f lab.Facts) []lab.Step {
	t.Helper()
	s, ok := scenarios.Named("proxyarp")
	if !ok {
		t.Fatal("no proxyarp")
	}
	return s.Steps(scenarios.Setting{Lab: "proxyarp", Values: s.Defaults(), Facts: f})
}

func TestPictureIsWhatTheOpsSay(t *testing.T) {
	got := lab.PictureAt(pictureFacts(), proxyarpSteps(t, pictureFacts()), "")
	want := lab.Picture{
		Outside: &lab.Outside{Addr: "203.0.113.80"},
		Spaces: []*lab.Space{
			{
				Flags: []lab.Flag{{Key: "ip_forward", Value: "1"}},
				Devices: []*lab.Device{
					{
						Name: "veth", Kind: "veth", State: lab.StateUp, Peer: &lab.End{NS: "ns1", Name: "c-eth0"},
						Flags: []lab.Flag{{Key: "forwarding", Value: "1"}, {Key: "proxy_arp", Value: "1"}, {Key: "proxy_delay", Value: "0"}},
					},
					{Name: "up0", Uplink: true, Addrs: []lab.Addr{{Addr: "192.0.2.2"}}},
				},
				Routes: []lab.Route{{Dst: "1.1.1.0/24", Dev: "veth", Scope: "link"}},
				Rules: []lab.Rule{{
					Kind: "nat", Table: "netlab-proxyarp", Chain: "postrouting", Text: "ip saddr 1.1.1.0/24 masquerade",
				}},
			},
			{
				Name: "ns1",
				Devices: []*lab.Device{{
					Name: "c-eth0", Kind: "veth", State: lab.StateUp, Peer: &lab.End{Name: "veth"},
					Addrs: []lab.Addr{{Addr: "1.1.1.2/24"}},
				}},
				Routes: []lab.Route{
					{Dst: "169.254.1.1", Dev: "c-eth0", Scope: "link"},
					{Dst: "default", Via: "169.254.1.1", Dev: "c-eth0"},
				},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPictureMarksWhatAStepBrings(t *testing.T) {
	all := proxyarpSteps(t, pictureFacts())
	for i, want := range [][]string{
		{"ns1"},
		{"veth", "c-eth0", "1.1.1.2/24"},
		{"169.254.1.1 dev c-eth0 scope link", "default via 169.254.1.1 dev c-eth0"},
		{"ip_forward=1", "forwarding=1"},
		{"proxy_arp=1", "proxy_delay=0"},
		{"1.1.1.0/24 dev veth scope link"},
		{"ip saddr 1.1.1.0/24 masquerade"},
	} {
		before := lab.PictureAt(pictureFacts(), all[:i], "")
		now := lab.PictureAt(pictureFacts(), all, all[i].ID)
		if now.News() {
			t.Errorf("%s: marks without a picture to compare with", all[i].ID)
		}
		got := marked(now.Since(before))
		if diff := cmp.Diff(lab.PictureAfter(pictureFacts(), all, i), now.Since(before)); diff != "" {
			t.Errorf("%s: PictureAfter differs:\n%s", all[i].ID, diff)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", all[i].ID, diff)
		}
		if now.News() {
			t.Errorf("%s: Since has marked the picture itself", all[i].ID)
		}
	}
	pic := lab.PictureAt(pictureFacts(), all, "")
	if got := pic.Since(pic); got.News() {
		t.Errorf("nothing changed, yet new: %v", marked(got))
	}
}

// news lists what is marked.
func marked(p lab.Picture) []string {
	var all []string
	add := func(isNew bool, text string) {
		if isNew {
			all = append(all, text)
		}
	}
	for _, s := range p.Spaces {
		add(s.New, s.Name)
		for _, f := range s.Flags {
			add(f.New, f.Key+"="+f.Value)
		}
		for _, d := range s.Devices {
			add(d.New, d.Name)
			for _, a := range d.Addrs {
				add(a.New, a.Addr)
			}
			for _, f := range d.Flags {
				add(f.New, f.Key+"="+f.Value)
			}
		}
		for _, r := range s.Routes {
			add(r.New, r.String())
		}
		for _, r := range s.Rules {
			add(r.New, r.Text)
		}
	}
	return all
}

func TestPictureOfALinkThatMovesOrGoesDown(t *testing.T) {
	pfx := netip.MustParsePrefix
	wired := []lab.Op{
		op.NetnsAdd{Name: "a"},
		op.VethAdd{Name: "x", Peer: "y"},
		op.LinkSetUp{Name: "y"},
		op.AddrAdd{Link: "y", Addr: pfx("10.0.0.1/24")},
		op.RouteAdd{Dst: pfx("10.9.0.0/16"), Dev: "y"},
		op.SysctlSet{Key: "net/ipv4/conf/y/proxy_arp", Value: "1"},
	}
	for _, tt := range []struct {
		name   string
		op     lab.Op
		in     string
		want   *lab.Device
		routes int
	}{
		{
			name: "moved", op: op.LinkSetNetns{Name: "y", To: "a"}, in: "a",
			want: &lab.Device{Name: "y", Kind: "veth", State: lab.StateDown, Peer: &lab.End{Name: "x"}},
		},
		{
			name: "without its last address", op: op.AddrDel{Link: "y", Addr: pfx("10.0.0.1/24")}, in: "",
			want: &lab.Device{
				Name: "y", Kind: "veth", State: lab.StateUp, Peer: &lab.End{Name: "x"},
				Addrs: []lab.Addr{}, Flags: []lab.Flag{{Key: "proxy_arp", Value: "1"}},
			},
		},
		{
			name: "a port", op: op.LinkSetMaster{Name: "y", Master: "br0"}, in: "", routes: 1,
			want: &lab.Device{
				Name: "y", Kind: "veth", State: lab.StateUp, Master: "br0", Peer: &lab.End{Name: "x"},
				Addrs: []lab.Addr{{Addr: "10.0.0.1/24"}}, Flags: []lab.Flag{{Key: "proxy_arp", Value: "1"}},
			},
		},
		{
			name: "down", op: op.LinkSetUp{Name: "y", Down: true}, in: "",
			want: &lab.Device{
				Name: "y", Kind: "veth", State: lab.StateDown, Peer: &lab.End{Name: "x"},
				Addrs: []lab.Addr{{Addr: "10.0.0.1/24"}}, Flags: []lab.Flag{{Key: "proxy_arp", Value: "1"}},
			},
		},
		{
			name: "as it was", op: op.SysctlSet{Key: "net/ipv4/conf/y/proxy_arp", Value: "0"}, in: "", routes: 1,
			want: &lab.Device{
				Name: "y", Kind: "veth", State: lab.StateUp, Peer: &lab.End{Name: "x"},
				Addrs: []lab.Addr{{Addr: "10.0.0.1/24"}}, Flags: []lab.Flag{{Key: "proxy_arp", Value: "0"}},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := lab.PictureAt(lab.Facts{}, []lab.Step{{ID: "s", Ops: append(slices.Clone(wired), tt.op)}}, "")
			if diff := cmp.Diff(tt.want, p.Device(tt.in, "y")); diff != "" {
				t.Error(diff)
			}
			if got := len(p.Space("").Routes); got != tt.routes {
				t.Errorf("the host has %d routes, want %d", got, tt.routes)
			}
			if got, want := *p.Device("", "x").Peer, (lab.End{NS: tt.in, Name: "y"}); got != want {
				t.Errorf("x's other end is %v, want %v", got, want)
			}
		})
	}
}

func TestGatewayThatIsNobodys(t *testing.T) {
	everywhere := netip.MustParsePrefix("0.0.0.0/0")
	andThen := func(ops ...lab.Op) []lab.Step { return []lab.Step{{ID: "after", Ops: ops}} }
	filtered := pictureFacts()
	filtered.RPFilter = 1
	alone := pictureFacts()
	alone.Uplink = ""
	for _, tt := range []struct {
		name     string
		facts    lab.Facts
		until    string
		after    []lab.Step
		want     int
		answered bool
	}{
		{name: "before the pod has a route", facts: pictureFacts(), until: "veth"},
		{name: "routed to", facts: pictureFacts(), until: "routes", want: 1},
		{name: "only forwarding", facts: pictureFacts(), until: "forwarding", want: 1},
		{name: "answered for", facts: pictureFacts(), until: "proxy-arp", want: 1, answered: true},
		{name: "rp_filter, no return route", facts: filtered, until: "proxy-arp", want: 1},
		{name: "rp_filter and return route", facts: filtered, until: "return-route", want: 1, answered: true},
		{name: "no way elsewhere", facts: alone, until: "", want: 1},
		{name: "the host's default route is taken away", facts: pictureFacts(), until: "", after: andThen(op.RouteDelAny{Dst: everywhere, Dev: "up0"}), want: 1},
		{
			name: "and put back", facts: pictureFacts(), until: "", want: 1, answered: true,
			after: andThen(op.RouteDelAny{Dst: everywhere, Dev: "up0"}, op.RouteAdd{Dst: everywhere, Via: netip.MustParseAddr("192.0.2.1"), Dev: "up0"}),
		},
		{name: "somebody's now", facts: pictureFacts(), until: "", after: andThen(op.AddrAdd{Link: "veth", Addr: netip.MustParsePrefix("169.254.1.1/32")})},
		{
			name: "rp_filter of the device, no return route", facts: pictureFacts(), until: "", want: 1,
			after: andThen(op.RouteDel{Dst: netip.MustParsePrefix("1.1.1.0/24"), Dev: "veth", Scope: "link"}, op.SysctlSet{Key: "net/ipv4/conf/veth/rp_filter", Value: "1"}),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			steps := append(proxyarpSteps(t, tt.facts), tt.after...)
			got := lab.PictureAt(tt.facts, steps, tt.until).Nobodies()
			if len(got) != tt.want {
				t.Fatalf("got %v, want %d", got, tt.want)
			}
			for _, n := range got {
				if n.Addr != "169.254.1.1" || n.NS != "ns1" || (n.By != nil) != tt.answered {
					t.Errorf("got %+v, answered %v", n, n.By)
				}
			}
		})
	}
}
