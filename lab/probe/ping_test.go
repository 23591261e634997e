package probe

import (
	"os"
	"strings"
	"testing"

	"netlab/lab/kernel/kerneltest"
)

// ipOutRequests is how many IPv4 packets the thread's namespace has sent.
func ipOutRequests() (string, error) {
	b, err := os.ReadFile("/proc/thread-self/net/snmp")
	if err != nil {
		return "", err
	}
	lines := strings.Split(string(b), "\n")
	for i, name := range strings.Fields(lines[0]) {
		if name == "OutRequests" {
			return strings.Fields(lines[1])[i], nil
		}
	}
	return "", os.ErrNotExist
}

func TestPingSeesAnswersSilenceAndErrors(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	near := Ping{NS: "a", Dst: addr("10.0.0.2")}
	timed := []string{"rtt_us"}
	tryEach(t, k, []trial{
		{name: "no namespace", probe: near, want: fails("missing", nil)},
		{name: "answered", setup: pair, probe: near, want: holds("answered", values{"from": "10.0.0.2", "ttl": "64"}), any: timed},
		{name: "itself", probe: Ping{NS: "a", Dst: addr("10.0.0.1")},
			want: holds("answered", values{"from": "10.0.0.1", "ttl": "64"}), any: timed},
		{name: "no route", probe: Ping{NS: "a", Dst: addr("192.0.2.1")},
			want: fails("unreachable", values{"error": "Network is unreachable"})},
		{name: "unreachable route", setup: "ip -n a route add unreachable 192.0.2.1", probe: Ping{NS: "a", Dst: addr("192.0.2.1")},
			want: fails("unreachable", values{"error": "No route to host"})},
		{name: "broadcast", probe: Ping{NS: "a", Dst: addr("10.0.0.255")},
			want: fails("unreachable", values{"error": "Permission denied"})},
		{name: "silent", setup: "ip netns exec b sysctl -qw net.ipv4.icmp_echo_ignore_all=1", probe: near, wait: brief,
			want: fails("silent", nil)},
		{name: "nobody there", setup: "ip netns exec a sysctl -qw net.ipv4.neigh.va.retrans_time_ms=50", probe: Ping{NS: "a", Dst: addr("10.0.0.77")},
			want: fails("unreachable", values{"error": "Destination Host Unreachable", "from": "10.0.0.1"})},
		{name: "nobody there, lo down", setup: "ip -n a link set lo down", probe: Ping{NS: "a", Dst: addr("10.0.0.78")}, wait: 2 * brief,
			want: fails("silent", nil)},
		{name: "device down", setup: "ip -n a link set va down", probe: near,
			want: fails("unreachable", values{"error": "Network is unreachable"})},
	})
}

func TestPingOutlivesALostPacket(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, pair)
	tryEach(t, k, []trial{{name: "the first of two is lost", setup: `
		ip netns exec b nft add table ip t
		ip netns exec b nft add chain ip t in { type filter hook input priority 0 ; }
		ip netns exec b nft add rule ip t in icmp type echo-request numgen inc mod 2 == 0 drop`,
		probe: Ping{NS: "a", Dst: addr("10.0.0.2")}, want: holds("answered", values{"from": "10.0.0.2", "ttl": "64"}), any: []string{"rtt_us"}}})
}

func TestPingHearsRoutersOnTheWay(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	out := Ping{NS: "ns1", Dst: addr("192.0.2.1")}
	tryEach(t, k, []trial{
		{name: "a loop", setup: podded + `
			ip -n out route add 1.1.1.2 via 192.0.2.2
			ip -n out route add 198.51.100.0/24 via 192.0.2.2
			ip netns exec out sysctl -qw net.ipv4.ip_forward=1`, probe: Ping{NS: "ns1", Dst: addr("198.51.100.1")},
			want: fails("unreachable", values{"error": "Time to live exceeded"}), any: []string{"from"}},
		{name: "masqueraded", setup: masquerade, probe: out,
			want: holds("answered", values{"from": "192.0.2.1", "ttl": "63"}), any: []string{"rtt_us"}},
		{name: "rejected", setup: `
			nft add chain ip lab passing { type filter hook forward priority 0 ; }
			nft add rule ip lab passing iifname veth ip daddr 192.0.2.1 reject`, probe: out,
			want: fails("unreachable", values{"error": "Destination Port Unreachable", "from": "192.0.2.2"})},
		{name: "dropped on its way out", setup: `
			ip netns exec ns1 nft add table ip lab
			ip netns exec ns1 nft add chain ip lab out { type filter hook output priority 0 ; }
			ip netns exec ns1 nft add rule ip lab out ip daddr 192.0.2.77 drop`, probe: Ping{NS: "ns1", Dst: addr("192.0.2.77")},
			want: fails("unreachable", values{"error": "Operation not permitted"})},
		{name: "nobody beyond", setup: "sysctl -qw net.ipv4.neigh.up0.retrans_time_ms=50", probe: Ping{NS: "ns1", Dst: addr("192.0.2.78")},
			want: fails("unreachable", values{"error": "Destination Host Unreachable", "from": "192.0.2.2"})},
	})
}

func TestPingRefusesWhatIsNoHost(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	for _, dst := range []string{"224.0.0.1", "0.0.0.0", "::1"} {
		if o, err := (Ping{Dst: addr(dst)}).Try(t.Context(), k, brief); err == nil {
			t.Errorf("%s: no error but %v", dst, o)
		}
	}
	if o, err := (Ping{}).Try(t.Context(), k, brief); err == nil {
		t.Errorf("no address: no error but %v", o)
	}
}

func TestPingEndsWithItsContext(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, pair)
	sh(t, "ip netns exec b sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
	cancelled(t, k, Ping{NS: "a", Dst: addr("10.0.0.2")})
}
