package probe

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest"
)

const routes = pair + `
	ip -n a addr add 10.9.9.9/32 dev lo scope host
	ip -n a route add 169.254.1.1 dev va scope link
	ip -n a route add default via 169.254.1.1 dev va onlink
	ip -n a route add default via 10.0.0.2 dev va proto dhcp src 10.0.0.1 metric 100
	ip -n a route add 10.1.0.0/16 via 10.0.0.2
	ip -n a route add 10.2.0.0/16 dev va scope global
	ip -n a route add 10.3.0.0/16 dev va scope host
	ip -n a route add blackhole 10.4.0.0/16
	ip -n a route add unreachable 10.5.0.0/16 metric 7
	ip -n a route add prohibit 10.6.0.1
	ip -n a route add throw 10.6.0.2
	ip -n a route add local 10.7.0.1 dev lo
	ip -n a route add 10.8.0.0/16 dev va mtu 1400 advmss 1300
	ip -n a route add 10.8.1.0/24 dev va mtu lock 1400 table 7 proto static
	ip -n a route add 10.8.2.0/24 dev va table 700 proto 77
	ip -n a route add 10.8.3.0/24 via inet6 fe80::1 dev va
`

// Every line is one that `ip route show` prints.
func TestRouteLinesAreThoseOfIPRoute(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, routes)
	n, err := k.Namespace("a")
	if err != nil {
		t.Fatal(err)
	}
	unlike := func(must string) string {
		t.Helper()
		out, err := exec.Command("ip", "-4", "-n", "a", "route", "show", "table", "all").Output()
		if err != nil {
			t.Fatal(err)
		}
		var printed, lines []string
		for line := range strings.Lines(string(out)) {
			printed = append(printed, strings.TrimSpace(line))
		}
		all, err := n.Netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			line, err := routeLine(n, r)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, line)
		}
		if !strings.Contains(string(out), must) {
			return "nothing is " + must
		}
		return cmp.Diff(printed, lines)
	}
	if diff := unlike("onlink"); diff != "" {
		t.Errorf("(-ip route +lines):\n%s", diff)
	}
	// That the carrier is gone is known to the routes a moment later.
	sh(t, "ip -n b link set vb down")
	diff := unlike("linkdown")
	for deadline := time.Now().Add(enough); diff != "" && time.Now().Before(deadline); diff = unlike("linkdown") {
		time.Sleep(10 * time.Millisecond)
	}
	if diff != "" {
		t.Errorf("without a carrier (-ip route +lines):\n%s", diff)
	}
}

func TestRouteShowComparesWhatIsWanted(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	link := RouteShow{NS: "a", Dst: prefix("169.254.1.1/32"), Dev: "va", WantScope: "link"}
	is := values{"line": "169.254.1.1 dev va scope link", "scope": "link", "type": "unicast", "table": "main"}
	but := func(want string) map[string]string {
		v := values{"want": want}
		for key, value := range is {
			v[key] = value
		}
		return v
	}
	wanting := func(change func(*RouteShow)) RouteShow {
		p := link
		change(&p)
		return p
	}
	host := values{"line": "local 10.9.9.9 dev lo table local proto kernel scope host src 10.9.9.9", "scope": "host", "type": "local", "table": "local"}
	tryEach(t, k, []trial{
		{name: "no namespace", probe: link, want: fails("missing", nil)},
		{name: "shown", setup: routes, probe: link, want: holds("shown", is)},
		{name: "no device", probe: wanting(func(p *RouteShow) { p.Dev = "none" }), want: fails("missing", nil)},
		{name: "on another device", probe: wanting(func(p *RouteShow) { p.Dev = "lo" }), want: fails("none", nil)},
		{name: "another scope", probe: wanting(func(p *RouteShow) { p.WantScope = "global" }), want: fails("differs", but("scope global"))},
		{name: "a gateway", probe: wanting(func(p *RouteShow) { p.WantVia = addr("10.0.0.2") }), want: fails("differs", but("via 10.0.0.2"))},
		{name: "another type, and table", probe: wanting(func(p *RouteShow) { p.WantType, p.WantTable = "local", "local" }), want: fails("differs", but("type local table local"))},
		{name: "a source", probe: wanting(func(p *RouteShow) { p.WantSrc = addr("10.0.0.1") }), want: fails("differs", but("src 10.0.0.1"))},
		{name: "onlink", probe: wanting(func(p *RouteShow) { p.WantOnlink = true }), want: fails("differs", but("onlink"))},
		{name: "the second of two", probe: RouteShow{NS: "a", Dst: prefix("0.0.0.0/0"), WantSrc: addr("10.0.0.1")},
			want: holds("shown", values{"line": "default via 10.0.0.2 dev va proto dhcp src 10.0.0.1 metric 100", "scope": "global", "type": "unicast", "table": "main"})},
		{name: "the first of two, onlink", probe: RouteShow{NS: "a", Dst: prefix("0.0.0.0/0"), WantOnlink: true, WantVia: addr("169.254.1.1"), WantType: "unicast", WantTable: "main"},
			want: holds("shown", values{"line": "default via 169.254.1.1 dev va onlink", "scope": "global", "type": "unicast", "table": "main"})},
		{name: "local", probe: RouteShow{NS: "a", Dst: prefix("10.9.9.9/32"), Dev: "lo", WantScope: "host", WantType: "local", WantTable: "local"}, want: holds("shown", host)},
		{name: "local, not in main", probe: RouteShow{NS: "a", Dst: prefix("10.9.9.9/32"), Dev: "lo"}, want: fails("none", nil)},
		{name: "no route", probe: RouteShow{NS: "a", Dst: prefix("10.1.0.0/24")}, want: fails("none", nil)},
	})
}
