package trace

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"net/netip"

	"github.com/gopacket/gopacket/layers"
	"golang.org/x/sys/unix"

	"netlab/lab"
)

// identity is what tells one probe's frames from all others. It stands where NAT
// doesn't write: in the payload, and for TCP in the sequence number of the SYN.
type identity struct {
	probe  string // lab.ProbeEcho and the like
	marker [16]byte
	isn    uint32 // TCP: the initial sequence number
	port   uint16 // TCP and UDP: the destination's, as it was sent
	source uint16 // UDP: the source's, as it was sent

	// UDP: the ways of the request, as seen so far; an answer that doesn't bear
	// the marker is one of these turned round.
	ways map[way]bool
}

// way is a UDP packet's addresses and ports.
type way struct{ from, to netip.AddrPort }

func newIdentity(r Request) *identity {
	id := &identity{probe: r.Probe, port: r.Port, ways: map[way]bool{}}
	var random [20]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	copy(id.marker[:], random[4:])
	// 0 would leave the choice to the kernel; the topmost bit is spared so that
	// the numbers after it don't wrap.
	id.isn = binary.NativeEndian.Uint32(random[:])&0x7fffffff | 1
	return id
}

// kindOf is KindRequest, KindReply, KindError or KindMore for a frame of the
// probe's, and empty for any other.
func (id *identity) kindOf(p packet) string {
	if p.isError() {
		switch {
		case p.quoted == nil || !id.quotes(*p.quoted):
			return ""
		case p.icmpType == layers.ICMPv4TypeRedirect || p.icmpType == layers.ICMPv4TypeSourceQuench:
			return KindMore // advice: the packet was sent on
		}
		return KindError
	}
	switch id.probe {
	case lab.ProbeEcho:
		if p.proto != unix.IPPROTO_ICMP || !bytes.Equal(p.payload, id.marker[:]) {
			return ""
		}
		switch p.icmpType {
		case layers.ICMPv4TypeEchoRequest:
			return KindRequest
		case layers.ICMPv4TypeEchoReply:
			return KindReply
		}
	case lab.ProbeUDP:
		return id.kindOfUDP(p)
	case lab.ProbeTCP:
		return id.kindOfTCP(p)
	}
	return ""
}

func (id *identity) kindOfUDP(p packet) string {
	if p.proto != unix.IPPROTO_UDP {
		return ""
	}
	from, to := netip.AddrPortFrom(p.src, p.srcPort), netip.AddrPortFrom(p.dst, p.dstPort)
	switch {
	case id.ways[way{to, from}]:
		return KindReply
	case bytes.Equal(p.payload, id.marker[:]):
		id.ways[way{from, to}] = true
		return KindRequest
	}
	return ""
}

func (id *identity) kindOfTCP(p packet) string {
	if p.proto != unix.IPPROTO_TCP {
		return ""
	}
	switch {
	case p.syn && !p.acked && p.seq == id.isn:
		return KindRequest
	case p.acked && p.ack == id.isn+1 && (p.syn || p.rst):
		return KindReply
	case p.seq == id.isn+1, p.acked && (p.ack == id.isn+1 || p.ack == id.isn+2):
		return KindMore
	}
	return ""
}

// quotes tells whether a packet that an error is about is the probe, or its
// answer, which may be quoted as far as the first 8 bytes only: not even the
// marker need be there. Linux quotes up to 548 bytes (net/ipv4/icmp.c).
func (id *identity) quotes(p packet) bool {
	switch id.probe {
	case lab.ProbeEcho:
		return p.proto == unix.IPPROTO_ICMP && bytes.HasPrefix(p.payload, id.marker[:])
	case lab.ProbeUDP:
		return p.proto == unix.IPPROTO_UDP && (bytes.HasPrefix(p.payload, id.marker[:]) ||
			id.ways[way{netip.AddrPortFrom(p.src, p.srcPort), netip.AddrPortFrom(p.dst, p.dstPort)}] && len(p.payload) == 0)
	case lab.ProbeTCP:
		return p.proto == unix.IPPROTO_TCP && (p.seq == id.isn || p.seq == id.isn+1)
	}
	return false
}
