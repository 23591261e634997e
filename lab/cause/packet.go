package cause

import (
	"encoding/binary"
	"net/netip"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// packet is one of those that must pass the host's firewall.
type packet struct {
	hook     string // where it is: "prerouting", "input", "forward", "output", "postrouting"
	in, out  device // the zero value: none at this hook, or not known
	src, dst netip.Addr
	proto    byte // unix.IPPROTO_*
	icmp     byte // the type
	// srcPort and dstPort are TCP's or UDP's; 0: not known.
	srcPort, dstPort uint16
	state            uint32 // what conntrack says of it, as nft has it
	reply            bool
	bridged          bool // a bridge passes it on
}

// answer is what can be said of a condition, or of several at once: the least
// of them.
type answer int

const (
	no answer = iota
	maybe
	yes
)

func answered(b bool) answer {
	if b {
		return yes
	}
	return no
}

func not(a answer) answer { return yes - a }

// network are the bytes of the packet's IPv4 header (RFC 791), and which of them
// are known.
func (p packet) network() (header, known [20]byte) {
	set := func(at int, b ...byte) {
		copy(header[at:], b)
		for i := range b {
			known[at+i] = 1
		}
	}
	set(0, 0x45)
	set(9, p.proto)
	if p.src.IsValid() {
		set(12, p.src.AsSlice()...)
	}
	if p.dst.IsValid() {
		set(16, p.dst.AsSlice()...)
	}
	return header, known
}

// payload are bytes of the packet, nil where one of them isn't known.
func (p packet) payload(e *expr.Payload) []byte {
	switch e.Base {
	case expr.PayloadBaseNetworkHeader:
		header, known := p.network()
		if e.Offset+e.Len > uint32(len(header)) {
			return nil
		}
		for _, k := range known[e.Offset : e.Offset+e.Len] {
			if k == 0 {
				return nil
			}
		}
		return header[e.Offset : e.Offset+e.Len]
	case expr.PayloadBaseTransportHeader:
		if p.proto == unix.IPPROTO_ICMP && e.Offset+e.Len <= 2 {
			return []byte{p.icmp, 0}[e.Offset : e.Offset+e.Len]
		}
		return p.ports(e.Offset, e.Len)
	}
	return nil
}

// ports are bytes of the transport header's ports, nil where one isn't known.
func (p packet) ports(offset, length uint32) []byte {
	if p.proto != unix.IPPROTO_TCP && p.proto != unix.IPPROTO_UDP || offset+length > 4 ||
		offset < 2 && p.srcPort == 0 || offset+length > 2 && p.dstPort == 0 {
		return nil
	}
	both := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, p.srcPort), p.dstPort)
	return both[offset : offset+length]
}

// meta is what nft knows of a packet besides its bytes, nil where that isn't
// known here.
func (p packet) meta(key expr.MetaKey) []byte {
	switch key {
	case expr.MetaKeyIIFNAME:
		return nameBytes(p.in)
	case expr.MetaKeyOIFNAME:
		return nameBytes(p.out)
	case expr.MetaKeyIIF:
		return indexBytes(p.in)
	case expr.MetaKeyOIF:
		return indexBytes(p.out)
	case expr.MetaKeyL4PROTO:
		return []byte{p.proto}
	case expr.MetaKeyNFPROTO:
		if p.bridged {
			return []byte{unix.NFPROTO_BRIDGE}
		}
		return []byte{unix.NFPROTO_IPV4}
	case expr.MetaKeyPROTOCOL:
		return binary.BigEndian.AppendUint16(nil, unix.ETH_P_IP)
	}
	return nil
}

// nameBytes is as long as the kernel's own (IFNAMSIZ).
func nameBytes(d device) []byte {
	if !d.there() {
		return nil
	}
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, d.Name)
	return b
}

func indexBytes(d device) []byte {
	if !d.there() {
		return nil
	}
	return binary.NativeEndian.AppendUint32(nil, uint32(d.Index))
}

// place is what a filter-drop says of the packet's way.
func (p packet) place(host string) (from, to string) {
	from, to = host, host
	if p.in.there() {
		from = p.in.Name
	}
	if p.out.there() {
		to = p.out.Name
	}
	return from, to
}
