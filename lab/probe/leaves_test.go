package probe

import (
	"testing"

	"netlab/lab/kernel/kerneltest"
)

func TestLeavesSeesTheSourceAfterNAT(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	p := Leaves{NS: "ns1", Dst: addr("192.0.2.1"), Uplink: "up0", WantSrc: addr("192.0.2.2")}
	tryEach(t, k, []trial{
		{name: "no namespace", probe: p, want: fails("missing", nil)},
		{name: "no uplink namespace", setup: "ip netns add ns1",
			probe: Leaves{NS: "ns1", Dst: p.Dst, UplinkNS: "none", Uplink: "up0"}, want: fails("missing", nil)},
		{name: "no uplink", probe: p, want: fails("missing", nil)},
		{name: "not translated", setup: "ip netns del ns1\n" + podded, probe: p,
			want: fails("leaves-as-another", values{"src": "1.1.1.2", "want": "192.0.2.2", "answered": "no"})},
		{name: "masqueraded", setup: masquerade, probe: p, want: holds("answered", values{"src": "192.0.2.2", "answered": "yes"})},
		{name: "the reply is dropped on its way back", setup: "nft add table ip t\nnft add chain ip t f { type filter hook forward priority 0 ; }\n" +
			"nft add rule ip t f oifname veth drop", probe: p, want: fails("reply-lost", values{"src": "192.0.2.2", "answered": "no"})},
		{name: "nobody answers", setup: "nft delete table ip t\nip netns exec out sysctl -qw net.ipv4.icmp_echo_ignore_all=1", probe: p,
			want: holds("leaves-as", values{"src": "192.0.2.2", "answered": "no"})},
		{name: "another device", probe: Leaves{NS: "ns1", Dst: addr("1.1.1.2"), Uplink: "up0", WantSrc: p.WantSrc},
			want: fails("nothing-leaves", values{"answered": "yes"})},
		{name: "comes in, not out", probe: Leaves{NS: "ns1", Dst: p.Dst, Uplink: "veth", WantSrc: p.WantSrc}, wait: brief,
			want: fails("nothing-leaves", values{"answered": "no"})},
		{name: "elsewhere", probe: Leaves{NS: "ns1", Dst: p.Dst, UplinkNS: "ns1", Uplink: "c-eth0", WantSrc: addr("1.1.1.2")},
			want: holds("leaves-as", values{"src": "1.1.1.2", "answered": "no"})},
		{name: "not forwarded", setup: "sysctl -qw net.ipv4.ip_forward=0", probe: p, wait: brief,
			want: fails("nothing-leaves", values{"answered": "no"})},
		{name: "refused", setup: "sysctl -qw net.ipv4.ip_forward=1\nip -n ns1 route del default", probe: p,
			want: fails("nothing-leaves", values{"answered": "no", "error": "Network is unreachable"})},
		{name: "uplink down", setup: "ip -n ns1 route add default via 169.254.1.1 dev c-eth0\nip link set up0 down", probe: p, wait: brief,
			want: fails("nothing-leaves", values{"answered": "no", "error": "Destination Net Unreachable"})},
	})
}

// An identifier is one of 65,536, and conntrack remembers what NAT has made of it.
func TestLeavesIsNotMisledByAnEarlierConnection(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, podded+masquerade+`
		nft add chain ip lab passing { type filter hook forward priority 0 ; }
		nft add rule ip lab passing ct state established accept`) // without a use for conntrack, the kernel forgets all
	p := Leaves{NS: "ns1", Dst: addr("192.0.2.1"), Uplink: "up0", WantSrc: addr("1.1.1.2")}
	var echoes [2]echo
	for i := range echoes {
		echoes[i] = echo{dst: p.Dst, id: uint16(4711 + i), marker: [16]byte{byte(i)}}
	}
	known := [2]echo{echoes[0], echoes[0]}
	sh(t, "ip -n out route add 1.1.1.2 via 192.0.2.2")
	if o, err := p.send(t.Context(), k, enough, known); err != nil || o.Outcome != "leaves-as-another" {
		t.Fatalf("with NAT: %v, %v", o, err)
	}
	sh(t, "nft flush chain ip lab post")
	if o, err := p.send(t.Context(), k, enough, known); err != nil || o.Outcome != "leaves-as-another" {
		t.Fatalf("conntrack remembers nothing: %v, %v", o, err)
	}
	if o, err := p.send(t.Context(), k, enough, echoes); err != nil || o.Outcome != "answered" {
		t.Errorf("%v, %v", o, err)
	}
}

func TestLeavesEndsWithItsContext(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, podded)
	sh(t, "sysctl -qw net.ipv4.ip_forward=0")
	cancelled(t, k, Leaves{NS: "ns1", Dst: addr("192.0.2.1"), Uplink: "up0", WantSrc: addr("192.0.2.2")})
}
