package probe

import (
	"net/netip"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
)

var asked = echo{dst: netip.MustParseAddr("10.0.0.2"), id: 0xbeef, marker: [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}}

// packet is an IPv4 packet from src to dst with an ICMP message in it.
func packet(t testing.TB, src, dst string, m icmp.Message) []byte {
	t.Helper()
	body, err := m.Marshal(nil)
	if err != nil {
		t.Fatal(err)
	}
	h := ipv4.Header{Version: 4, Len: 20, TotalLen: 20 + len(body), TTL: 61, Protocol: 1,
		Src: netip.MustParseAddr(src).AsSlice(), Dst: netip.MustParseAddr(dst).AsSlice()}
	b, err := h.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append(b, body...)
}

func echoMessage(kind ipv4.ICMPType, id, seq int, payload []byte) icmp.Message {
	return icmp.Message{Type: kind, Body: &icmp.Echo{ID: id, Seq: seq, Data: payload}}
}

func TestEchoTakesOnlyItsOwnAnswer(t *testing.T) {
	reply := func(from string, id, seq int, payload []byte) []byte {
		return packet(t, from, "10.0.0.1", echoMessage(ipv4.ICMPTypeEchoReply, id, seq, payload))
	}
	quoting := func(quoted []byte, keep int) []byte {
		return packet(t, "10.0.0.254", "10.0.0.1", icmp.Message{Type: ipv4.ICMPTypeDestinationUnreachable, Code: 1,
			Body: &icmp.DstUnreach{Data: quoted[:keep]}})
	}
	mine := packet(t, "10.0.0.1", "10.0.0.2", echoMessage(ipv4.ICMPTypeEcho, 0xbeef, 1, asked.marker[:]))
	elsewhere := packet(t, "10.0.0.1", "10.0.0.3", echoMessage(ipv4.ICMPTypeEcho, 0xbeef, 1, asked.marker[:]))
	foreign := packet(t, "10.0.0.1", "10.0.0.2", echoMessage(ipv4.ICMPTypeEcho, 0xbeee, 1, asked.marker[:]))
	refused := echoAnswer{from: netip.MustParseAddr("10.0.0.254"), ttl: 61, err: "Destination Host Unreachable"}
	tests := []struct {
		name   string
		packet []byte
		want   echoAnswer
	}{
		{"reply", reply("10.0.0.2", 0xbeef, 1, asked.marker[:]), echoAnswer{from: asked.dst, ttl: 61}},
		{"reply from another", reply("10.0.0.9", 0xbeef, 1, asked.marker[:]), echoAnswer{from: netip.MustParseAddr("10.0.0.9"), ttl: 61}},
		{"other identifier", reply("10.0.0.2", 0xbeee, 1, asked.marker[:]), echoAnswer{}},
		{"other sequence number", reply("10.0.0.2", 0xbeef, 2, asked.marker[:]), echoAnswer{}},
		{"other payload", reply("10.0.0.2", 0xbeef, 1, make([]byte, 16)), echoAnswer{}},
		{"no payload", reply("10.0.0.2", 0xbeef, 1, nil), echoAnswer{}},
		{"cut payload", reply("10.0.0.2", 0xbeef, 1, asked.marker[:5]), echoAnswer{}},
		{"longer payload", reply("10.0.0.2", 0xbeef, 1, append(asked.marker[:], 0)), echoAnswer{}},
		{"a request", mine, echoAnswer{}},
		{"error", quoting(mine, len(mine)), refused},
		{"error with a short quotation", quoting(mine, 28), refused},
		{"error with too short a quotation", quoting(mine, 27), echoAnswer{}},
		{"error of another destination", quoting(elsewhere, len(elsewhere)), echoAnswer{}},
		{"error of another's request", quoting(foreign, len(foreign)), echoAnswer{}},
		{"nothing", nil, echoAnswer{}},
		{"half a header", mine[:12], echoAnswer{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := asked.answer(tt.packet); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestICMPWordsAreThoseOfPing(t *testing.T) {
	tests := []struct {
		kind ipv4.ICMPType
		code int
		want string
	}{
		{ipv4.ICMPTypeDestinationUnreachable, 0, "Destination Net Unreachable"},
		{ipv4.ICMPTypeDestinationUnreachable, 1, "Destination Host Unreachable"},
		{ipv4.ICMPTypeDestinationUnreachable, 3, "Destination Port Unreachable"},
		{ipv4.ICMPTypeDestinationUnreachable, 4, "Frag needed and DF set (mtu = 1280)"},
		{ipv4.ICMPTypeDestinationUnreachable, 13, "Packet filtered"},
		{ipv4.ICMPTypeDestinationUnreachable, 99, "Dest Unreachable, Bad Code: 99"},
		{ipv4.ICMPTypeTimeExceeded, 0, "Time to live exceeded"},
		{ipv4.ICMPTypeParameterProblem, 0, "Parameter problem"},
	}
	for _, tt := range tests {
		if got := icmpWords(tt.kind, tt.code, 1280); got != tt.want {
			t.Errorf("type %d code %d: %q, want %q", tt.kind, tt.code, got, tt.want)
		}
	}
}

func FuzzEchoAnswer(f *testing.F) {
	f.Add(packet(f, "10.0.0.2", "10.0.0.1", echoMessage(ipv4.ICMPTypeEchoReply, 0xbeef, 1, asked.marker[:])))
	f.Add([]byte{0x4f})
	f.Fuzz(func(t *testing.T, b []byte) { asked.answer(b) }) // must not panic
}
