package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"unique"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// slimLinks lists what is looked at of links among many: the whole of one takes several
// kilobytes, and the host may have thousands.
func (n *Namespace) slimLinks() ([]netlink.Link, error) {
	if n.Name == Host { // where this thread is, as every one that is no visitor
		return Dump(dumpLinks)
	}
	links, err := Dump(n.Netlink.LinkList)
	for i, link := range links {
		links[i] = slim(link)
	}
	return links, err
}

func slim(link netlink.Link) netlink.Link {
	a := link.Attrs()
	s := &netlink.GenericLink{LinkType: unique.Make(link.Type()).Value()}
	s.Index, s.Name, s.AltNames, s.RawFlags, s.Flags = a.Index, a.Name, a.AltNames, a.RawFlags, a.Flags
	s.NumTxQueues, s.NumRxQueues = a.NumTxQueues, a.NumRxQueues
	s.MasterIndex, s.ParentIndex, s.NetNsID = a.MasterIndex, a.ParentIndex, a.NetNsID
	s.HardwareAddr = slices.Clone(a.HardwareAddr) // it was part of the message
	return s
}

// dumpLinks lists the links of the calling thread's namespace, and keeps no more at a
// time than one of the messages that the list comes in.
func dumpLinks() ([]netlink.Link, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open netlink: %w", err)
	}
	defer unix.Close(fd)
	req := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_DUMP)
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	const skipStats = 1 << 3 // RTEXT_FILTER_SKIP_STATS, linux/rtnetlink.h
	req.AddData(nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(skipStats)))
	if err := unix.Sendto(fd, req.Serialize(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("ask for the links: %w", err)
	}
	var links []netlink.Link
	var changed error
	buf := make([]byte, nl.RECEIVE_BUFFER_SIZE)
	for {
		size, _, err := unix.Recvfrom(fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("receive the links: %w", err)
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:size])
		if err != nil {
			return nil, fmt.Errorf("read the links: %w", err)
		}
		for _, m := range messages {
			if m.Header.Flags&unix.NLM_F_DUMP_INTR != 0 {
				changed = netlink.ErrDumpInterrupted
			}
			switch m.Header.Type {
			case unix.NLMSG_DONE, unix.NLMSG_ERROR:
				if len(m.Data) >= 4 {
					if errno := int32(binary.NativeEndian.Uint32(m.Data)); errno < 0 {
						return nil, fmt.Errorf("list the links: %w", syscall.Errno(-errno))
					}
				}
				return links, changed
			case unix.RTM_NEWLINK:
				if veth := slimVeth(m.Data); veth != nil {
					links = append(links, veth)
					continue
				}
				link, err := netlink.LinkDeserialize(nil, m.Data)
				if err != nil {
					return nil, fmt.Errorf("read a link: %w", err)
				}
				links = append(links, slim(link))
			}
		}
	}
}
