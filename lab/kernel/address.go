package kernel

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// Addr is an address as netlink has it; the zero Addr for none.
func Addr(ip []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// Prefix is a destination as netlink has it; none is the default route's.
func Prefix(n *net.IPNet) netip.Prefix {
	if n == nil {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(Addr(n.IP), bits)
}

// NetworkOrder is a number as the kernel keeps it in a field of that order, such
// as a packet socket's protocol (packet(7)).
func NetworkOrder(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}
