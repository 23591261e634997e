package kernel

import (
	"encoding/binary"
	"net"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// slimVeth reads of a veth's RTM_NEWLINK what slim keeps, as netlink.LinkDeserialize
// does, in a tenth of the time; nil for a link of another kind, or a message that is not
// as the kernel writes it.
func slimVeth(m []byte) netlink.Link {
	if len(m) < unix.SizeofIfInfomsg {
		return nil
	}
	native := binary.NativeEndian
	s := &netlink.GenericLink{}
	s.Index, s.RawFlags, s.NetNsID = int(int32(native.Uint32(m[4:]))), native.Uint32(m[8:]), -1
	s.Flags = netFlags(s.RawFlags)
	for kind, value := range attributes(m[unix.SizeofIfInfomsg:]) {
		number := func() int {
			if len(value) < 4 {
				return 0
			}
			return int(native.Uint32(value))
		}
		switch kind {
		case unix.IFLA_IFNAME:
			s.Name = strings.TrimRight(string(value), "\x00")
		case unix.IFLA_ADDRESS:
			if slices.ContainsFunc(value, func(b byte) bool { return b != 0 }) {
				s.HardwareAddr = slices.Clone(value)
			}
		case unix.IFLA_LINK:
			s.ParentIndex = number()
		case unix.IFLA_MASTER:
			s.MasterIndex = number()
		case unix.IFLA_LINK_NETNSID:
			s.NetNsID = number()
		case unix.IFLA_NUM_TX_QUEUES:
			s.NumTxQueues = number()
		case unix.IFLA_NUM_RX_QUEUES:
			s.NumRxQueues = number()
		case unix.IFLA_PROP_LIST:
			for kind, name := range attributes(value) {
				if kind == unix.IFLA_ALT_IFNAME {
					s.AltNames = append(s.AltNames, strings.TrimRight(string(name), "\x00"))
				}
			}
		case unix.IFLA_LINKINFO:
			for kind, name := range attributes(value) {
				if kind == unix.IFLA_INFO_KIND && string(name) == "veth\x00" {
					s.LinkType = "veth"
				}
			}
		}
	}
	if s.LinkType == "" {
		return nil
	}
	return s
}

// attributes are those of a netlink message, by type (netlink(7)).
func attributes(b []byte) func(yield func(kind uint16, value []byte) bool) {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= unix.SizeofRtAttr {
			size := int(binary.NativeEndian.Uint16(b))
			if size < unix.SizeofRtAttr || size > len(b) {
				return
			}
			const flags = unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER
			if !yield(binary.NativeEndian.Uint16(b[2:])&^flags, b[unix.SizeofRtAttr:size]) {
				return
			}
			b = b[min(len(b), (size+unix.NLA_ALIGNTO-1)&^(unix.NLA_ALIGNTO-1)):]
		}
	}
}

// netFlags are a link's flags as package net has them.
func netFlags(raw uint32) (f net.Flags) {
	for _, one := range [...]struct {
		bit  uint32
		flag net.Flags
	}{
		{unix.IFF_UP, net.FlagUp}, {unix.IFF_BROADCAST, net.FlagBroadcast}, {unix.IFF_LOOPBACK, net.FlagLoopback},
		{unix.IFF_POINTOPOINT, net.FlagPointToPoint}, {unix.IFF_MULTICAST, net.FlagMulticast}, {unix.IFF_RUNNING, net.FlagRunning},
	} {
		if raw&one.bit != 0 {
			f |= one.flag
		}
	}
	return f
}
