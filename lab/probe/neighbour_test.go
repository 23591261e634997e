package probe

import (
	"strings"
	"testing"
	"time"

	"netlab/lab/kernel/kerneltest"
)

func TestNeighbourHearsWhoAnswers(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	p := Neighbour{NS: "a", Dev: "va", Target: addr("10.0.0.2"), WantNS: "b", WantDev: "vb"}
	tryEach(t, k, []trial{{name: "no namespace", probe: p, want: fails("missing", nil)}})
	sh(t, pair)
	vb := macOf(t, k, "b", "vb")
	tryEach(t, k, []trial{
		{name: "no device", probe: Neighbour{NS: "a", Dev: "none", Target: p.Target}, want: fails("missing", nil)},
		{name: "no device to compare with", probe: Neighbour{NS: "a", Dev: "va", Target: p.Target, WantNS: "b", WantDev: "none"},
			want: fails("missing", nil)},
		{name: "answered", probe: p, want: holds("answered", values{"mac": vb})},
		{name: "asked anew", probe: p, want: holds("answered", values{"mac": vb})},
		{name: "any will do", probe: Neighbour{NS: "a", Dev: "va", Target: p.Target}, want: holds("answered", values{"mac": vb})},
		{name: "answered by another", probe: Neighbour{NS: "a", Dev: "va", Target: p.Target, WantNS: "a", WantDev: "va"},
			want: fails("answered-by-another", values{"mac": vb, "want": macOf(t, k, "a", "va")})},
		{name: "silent although cached", setup: "ip -n b addr del 10.0.0.2/24 dev vb", probe: p, wait: brief, want: fails("silent", nil)},
		{name: "device down", setup: "ip -n a link set va down", probe: p, wait: brief, want: fails("silent", nil)},
	})
	if left := neighbours(t, "a", "va"); strings.Contains(left, "10.0.0.2") {
		t.Errorf("silence left %q", left)
	}
}

func TestNeighbourHearsTheProxy(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, podded)
	p := Neighbour{NS: "ns1", Dev: "c-eth0", Target: addr("169.254.1.1"), WantDev: "veth"}
	answered := holds("answered", values{"mac": macOf(t, k, "", "veth")})
	silence := Neighbour{NS: "ns1", Dev: "c-eth0", Target: addr("169.254.1.1"), WantSilence: true}
	tryEach(t, k, []trial{
		{name: "proxied", probe: p, want: answered},
		{name: "proxy_arp off", setup: "sysctl -qw net.ipv4.conf.veth.proxy_arp=0", probe: p, wait: brief, want: fails("silent", nil)},
		{name: "proxied again", setup: "sysctl -qw net.ipv4.conf.veth.proxy_arp=1", probe: p, want: answered},
		{name: "delayed", setup: "sysctl -qw net.ipv4.neigh.veth.proxy_delay=80", probe: p, want: answered},
		{name: "silence is wanted", probe: silence, want: fails("answered", values{"mac": answered.Values["mac"]})},
		{name: "no default route", setup: "ip route del default", probe: p, wait: brief, want: fails("silent", nil)},
		{name: "silence as wanted", probe: silence, wait: brief, want: holds("silent", nil)},
	})
}

func TestNeighbourIsSilentWhereTheKernelNeverAsks(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, `
ip netns add a
ip link add va type veth peer name vb
ip link set va netns a
ip -n a link set va up
ip link set vb up
`)
	tryEach(t, k, []trial{{name: "every address is a broadcast one",
		probe: Neighbour{NS: "a", Dev: "va", Target: addr("10.0.0.2")}, wait: brief, want: fails("silent", nil)}})
	if left := neighbours(t, "a", "va"); strings.Contains(left, "10.0.0.2") {
		t.Errorf("the question left %q", left)
	}
	sh(t, "ip -n a neigh add 10.0.0.2 lladdr 02:00:00:00:00:01 dev va nud noarp")
	_, err := Neighbour{NS: "a", Dev: "va", Target: addr("10.0.0.2")}.Try(t.Context(), k, brief)
	if err == nil || !strings.Contains(err.Error(), "fixed") || !strings.Contains(neighbours(t, "a", "va"), "10.0.0.2") {
		t.Errorf("somebody's own entry: %v, and the table has %q", err, neighbours(t, "a", "va"))
	}
}

func TestNeighbourSendsNothingButARP(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, pair)
	sent := func() string {
		n, err := k.Namespace("a")
		if err != nil {
			t.Fatal(err)
		}
		var counts string
		if err := n.Do(func() error {
			counts, err = ipOutRequests()
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return counts
	}
	before := sent()
	tryEach(t, k, []trial{{name: "answered", probe: Neighbour{NS: "a", Dev: "va", Target: addr("10.0.0.2")},
		want: holds("answered", nil), any: []string{"mac"}}})
	if after := sent(); after != before {
		t.Errorf("IP packets sent: %s before, %s after", before, after)
	}
}

func TestNeighbourEndsWhenTheKernelGivesUp(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, pair)
	sh(t, "ip netns exec a sysctl -qw net.ipv4.neigh.va.mcast_solicit=1\nip netns exec a sysctl -qw net.ipv4.neigh.va.retrans_time_ms=100")
	start := time.Now()
	o, err := Neighbour{NS: "a", Dev: "va", Target: addr("10.0.0.77")}.Try(t.Context(), k, time.Minute)
	if err != nil || o.Outcome != "silent" {
		t.Errorf("%v, %v", o, err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("silence was known only after %v", took)
	}
	if left := neighbours(t, "a", "va"); strings.Contains(left, "10.0.0.77") {
		t.Errorf("silence left %q", left)
	}
	sh(t, "ip netns exec a sysctl -qw net.ipv4.neigh.va.retrans_time_ms=60000")
	cancelled(t, k, Neighbour{NS: "a", Dev: "va", Target: addr("10.0.0.77")})
	if left := neighbours(t, "a", "va"); strings.Contains(left, "10.0.0.77") {
		t.Errorf("a cancelled attempt left %q", left)
	}
}

func TestNeighbourLeavesAFixedEntryAlone(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, pair)
	sh(t, "ip -n a neigh add 10.0.0.2 lladdr 02:00:00:00:00:01 dev va nud permanent")
	p := Neighbour{NS: "a", Dev: "va", Target: addr("10.0.0.2")}
	if o, err := p.Try(t.Context(), k, brief); err == nil {
		t.Errorf("no error but %v", o)
	}
	if left := neighbours(t, "a", "va"); !strings.Contains(left, "02:00:00:00:00:01 PERMANENT") {
		t.Errorf("the entry is now %q", left)
	}
	p.Target = addr("fe80::1")
	if _, err := p.Try(t.Context(), k, brief); err == nil {
		t.Error("ARP was asked for an IPv6 address")
	}
}
