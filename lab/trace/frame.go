package trace

import (
	"encoding/binary"
	"net"
	"net/netip"

	"netlab/lab/kernel"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"golang.org/x/sys/unix"
)

// packet is what a frame says, as far as a trace asks. The zero value is of a
// frame that it can't read.
type packet struct {
	srcMAC, dstMAC net.HardwareAddr // nil: the device has none
	proto          int              // unix.IPPROTO_*, or isARP
	src, dst       netip.Addr       // ARP: the sender's and the target's
	srcPort        uint16           // TCP and UDP
	dstPort        uint16
	ttl            int

	arpOp      uint16           // ARP: 1 asks, 2 answers
	arpMAC     net.HardwareAddr // ARP: the sender's
	icmpType   uint8
	icmpCode   uint8
	icmpRest   uint32 // ICMP: id and sequence number, or the next hop's MTU
	seq, ack   uint32 // TCP
	syn, acked bool   // TCP: flags
	rst        bool
	payload    []byte // of echo messages and UDP
	// quoted is the packet that an ICMP error is about, as much of it as there is.
	quoted *packet
}

const isARP = -1

// group tells whether the frame is for more than one (IEEE 802.3: the first bit).
func (p packet) group() bool { return len(p.dstMAC) > 0 && p.dstMAC[0]&1 == 1 }

// parse reads a frame. It tells whether it is one that a trace may ask about:
// ARP for IPv4, or ICMP, TCP or UDP in a whole IPv4 packet.
func parse(data []byte, ethernet bool) (packet, bool) {
	var p packet
	if !ethernet {
		return p, p.parseIP(data, false)
	}
	var eth layers.Ethernet
	if eth.DecodeFromBytes(data, gopacket.NilDecodeFeedback) != nil {
		return packet{}, false
	}
	p.srcMAC, p.dstMAC = eth.SrcMAC, eth.DstMAC
	kind, body := eth.EthernetType, eth.LayerPayload()
	if kind == layers.EthernetTypeDot1Q {
		var tag layers.Dot1Q
		if tag.DecodeFromBytes(body, gopacket.NilDecodeFeedback) != nil {
			return packet{}, false
		}
		kind, body = tag.Type, tag.LayerPayload()
	}
	switch kind {
	case layers.EthernetTypeARP:
		return p, p.parseARP(body)
	case layers.EthernetTypeIPv4:
		return p, p.parseIP(body, false)
	}
	return packet{}, false
}

func (p *packet) parseARP(body []byte) bool {
	var a layers.ARP
	if a.DecodeFromBytes(body, gopacket.NilDecodeFeedback) != nil ||
		a.Protocol != layers.EthernetTypeIPv4 || len(a.SourceProtAddress) != 4 || len(a.DstProtAddress) != 4 {
		return false
	}
	p.proto, p.arpOp, p.arpMAC = isARP, a.Operation, a.SourceHwAddress
	p.src, p.dst = kernel.Addr(a.SourceProtAddress), kernel.Addr(a.DstProtAddress)
	return true
}

// parseIP reads an IPv4 packet; of a quoted one only the headers' first bytes need be there.
func (p *packet) parseIP(body []byte, quoted bool) bool {
	var ip layers.IPv4
	if ip.DecodeFromBytes(body, gopacket.NilDecodeFeedback) != nil || ip.Version != 4 || ip.FragOffset != 0 {
		return false
	}
	p.proto, p.ttl = int(ip.Protocol), int(ip.TTL)
	p.src, p.dst = kernel.Addr(ip.SrcIP), kernel.Addr(ip.DstIP)
	inner := ip.LayerPayload()
	if len(inner) < 8 { // what an ICMP error quotes at least (RFC 792)
		return false
	}
	switch p.proto {
	case unix.IPPROTO_ICMP:
		return p.parseICMP(inner, quoted)
	case unix.IPPROTO_UDP:
		p.ports(inner)
		p.payload = inner[8:]
		return true
	case unix.IPPROTO_TCP:
		p.ports(inner)
		p.seq = binary.BigEndian.Uint32(inner[4:])
		if quoted {
			return true
		}
		var tcp layers.TCP
		if tcp.DecodeFromBytes(inner, gopacket.NilDecodeFeedback) != nil {
			return false
		}
		p.ack, p.syn, p.acked, p.rst = tcp.Ack, tcp.SYN, tcp.ACK, tcp.RST
		return true
	}
	return false
}

func (p *packet) parseICMP(inner []byte, quoted bool) bool {
	p.icmpType, p.icmpCode = inner[0], inner[1]
	p.icmpRest = binary.BigEndian.Uint32(inner[4:])
	p.payload = inner[8:]
	if !quoted && p.isError() {
		p.quoted = &packet{}
		if !p.quoted.parseIP(p.payload, true) {
			p.quoted = nil
		}
	}
	return true
}

func (p *packet) ports(inner []byte) {
	p.srcPort, p.dstPort = binary.BigEndian.Uint16(inner), binary.BigEndian.Uint16(inner[2:])
}

// flags is what a packet of TCP's handshake is, empty for any other.
func (p packet) flags() string {
	switch {
	case p.proto != unix.IPPROTO_TCP:
		return ""
	case p.rst:
		return "RST"
	case p.syn && p.acked:
		return "SYN-ACK"
	case p.syn:
		return "SYN"
	}
	return ""
}

// isError tells whether the packet is an ICMP message about another packet (RFC 1122, section 3.2.2).
func (p packet) isError() bool {
	if p.proto != unix.IPPROTO_ICMP {
		return false
	}
	switch p.icmpType {
	case layers.ICMPv4TypeDestinationUnreachable, layers.ICMPv4TypeSourceQuench, layers.ICMPv4TypeRedirect,
		layers.ICMPv4TypeTimeExceeded, layers.ICMPv4TypeParameterProblem:
		return true
	}
	return false
}
