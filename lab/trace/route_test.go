package trace

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

func TestRoutesAreWrittenAsIPWritesThem(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, pair+`
		ip -n a route add default via 10.0.0.2
		ip -n a route add 172.16.0.0/12 via 10.0.0.2 metric 7
		ip -n a route add 172.16.0.1 dev va src 10.0.0.1 proto static
		ip -n a route add unreachable 198.51.100.0/24
		ip -n a route add blackhole 198.51.101.0/24 metric 3
		ip -n a route add prohibit 198.51.102.1
		ip -n a route add 203.0.113.0/24 via 192.0.2.77 dev va onlink
		ip -n a route add 10.7.0.0/16 proto bgp nexthop via 10.0.0.2 weight 2 nexthop via 10.0.0.3 weight 1
		ip -n a route add 10.8.0.0/16 dev va scope host proto 99
		ip -n a route add 10.9.0.0/16 dev va proto 77
	`)
	s := newScene(k)
	sp, err := s.space("a")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []int{unix.RT_TABLE_MAIN, unix.RT_TABLE_LOCAL} {
		name := map[int]string{unix.RT_TABLE_MAIN: "main", unix.RT_TABLE_LOCAL: "local"}[table]
		out, err := exec.Command("ip", "-n", "a", "-4", "route", "show", "table", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for line := range strings.Lines(string(out)) {
			line = strings.Join(strings.Fields(line), " ")
			if strings.HasPrefix(line, "nexthop") { // on a line of its own
				want[len(want)-1] += " " + line
				continue
			}
			want = append(want, line)
		}
		routes, err := sp.n.Netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: table}, netlink.RT_FILTER_TABLE)
		if err != nil {
			t.Fatal(err)
		}
		if len(routes) == 0 || len(routes) != len(want) {
			t.Errorf("table %s: %d routes, ip prints %d", name, len(routes), len(want))
		}
		for _, r := range routes {
			if got := sp.routeWords(r); !slices.Contains(want, got) {
				t.Errorf("%q is not what ip prints:\n%s", got, strings.Join(want, "\n"))
			}
		}
	}
}

func TestAPacketThatLeavesTheCaptures(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	// The cable's other end is in a namespace with neither a name nor a process.
	cmd := exec.Command("unshare", "-n", "sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := strconv.Itoa(cmd.Process.Pid)
	awaitNamespace(t, k, "pid:"+pid)
	sh(t, `
		ip link add h0 type veth peer name c0 netns `+pid+`
		ip link set h0 up
		ip addr add 192.0.2.2/24 dev h0
		ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev h0
		ip route add default via 192.0.2.1
		nsenter -t `+pid+` -n ip link set c0 up
	`)
	held, err := os.Open("/proc/" + pid + "/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	k.Forget("pid:" + pid)
	r := follow(t, k, Request{To: addr("203.0.113.80"), Patience: brief})
	if end := r.Journey.End; end.Outcome != lab.Lost || end.Reason != LeftCaptures || end.Dev != "h0" {
		t.Errorf("%+v", end)
	}
}
