package trace

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"
)

// filledIn is the frame with the checksum of its TCP segment or UDP datagram worked
// out, as a device does for what the kernel leaves to it (CHECKSUM_PARTIAL,
// include/linux/skbuff.h). It is the same one where there is nothing to do, or it is
// a fragment, or none of the two.
func (f Frame) filledIn(ethernet bool) Frame {
	if !f.Unsummed {
		return f
	}
	if data, ok := summed(f.Data, ethernet); ok {
		f.Data, f.Unsummed, f.Summed = data, false, true
	}
	return f
}

func summed(frame []byte, ethernet bool) ([]byte, bool) {
	const ipHeader = 20
	data := slices.Clone(frame)
	ip, ok := ipv4In(data, ethernet)
	if !ok || len(ip) < ipHeader {
		return nil, false
	}
	header, total := int(ip[0]&0x0f)*4, int(binary.BigEndian.Uint16(ip[2:]))
	const moreOrOffset = 0x3fff
	if header < ipHeader || total < header || total > len(ip) || binary.BigEndian.Uint16(ip[6:])&moreOrOffset != 0 {
		return nil, false
	}
	segment, field := ip[header:total], 0
	switch ip[9] {
	case unix.IPPROTO_TCP:
		field = 16 // RFC 9293, section 3.1
	case unix.IPPROTO_UDP:
		field = 6 // RFC 768
	}
	if field == 0 || len(segment) < field+2 {
		return nil, false
	}
	binary.BigEndian.PutUint16(segment[field:], 0)
	// The pseudo header: both addresses, the protocol and the length.
	sum := uint32(ip[9]) + uint32(len(segment)) + sumOf(ip[12:ipHeader]) + sumOf(segment)
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	check := ^uint16(sum)
	if check == 0 && ip[9] == unix.IPPROTO_UDP {
		check = 0xffff // 0 would say that there is none
	}
	binary.BigEndian.PutUint16(segment[field:], check)
	return data, true
}

// ipv4In is the IPv4 packet in a frame, behind at most one VLAN tag.
func ipv4In(frame []byte, ethernet bool) ([]byte, bool) {
	if !ethernet {
		return frame, len(frame) > 0 && frame[0]>>4 == 4
	}
	const macs, kind, tag = 12, 2, 4
	at := macs
	if len(frame) >= at+kind+tag && binary.BigEndian.Uint16(frame[at:]) == unix.ETH_P_8021Q {
		at += tag
	}
	if len(frame) < at+kind || binary.BigEndian.Uint16(frame[at:]) != unix.ETH_P_IP {
		return nil, false
	}
	return frame[at+kind:], true
}

// sumOf adds up the words of at most 64 KiB, an odd byte at the end as a high one.
func sumOf(data []byte) uint32 {
	var sum uint32
	for i, b := range data {
		if i%2 == 0 {
			sum += uint32(b) << 8
		} else {
			sum += uint32(b)
		}
	}
	return sum
}
