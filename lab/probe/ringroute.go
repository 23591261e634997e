package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// ask sends one request on a netlink socket, whose answer is one message, and returns
// its body, which is good until buf is used again: nil for an acknowledgment. The error
// is the kernel's errno.
func ask(fd int, buf []byte, req *nl.NetlinkRequest) ([]byte, error) {
	if err := unix.Sendto(fd, req.Serialize(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	messages, err := answers(fd, buf)
	if err != nil {
		return nil, err
	}
	if len(messages) != 1 {
		return nil, fmt.Errorf("%d answers to a request for one", len(messages))
	}
	m := messages[0]
	if m.Header.Type != unix.NLMSG_ERROR {
		return m.Data, nil
	}
	if errno := int32(nl.NativeEndian().Uint32(m.Data)); errno != 0 {
		return nil, syscall.Errno(-errno)
	}
	return nil, nil
}

func answers(fd int, buf []byte) ([]syscall.NetlinkMessage, error) {
	size, _, err := unix.Recvfrom(fd, buf, 0)
	if err != nil {
		return nil, err
	}
	return syscall.ParseNetlinkMessage(buf[:size])
}

// deviceNumber is device where nobody wants to know the MAC: it takes no lock.
func (m *ringMember) deviceNumber() error {
	request, err := unix.NewIfreq(m.pod.Dev)
	if err == nil {
		err = unix.IoctlIfreq(m.route, unix.SIOCGIFINDEX, request)
	}
	if errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("no device %s: %w", m.pod.Dev, fs.ErrNotExist)
	}
	if err != nil {
		return fmt.Errorf("look at device %s: %w", m.pod.Dev, err)
	}
	m.dev = int(request.Uint32())
	return nil
}

// device reads the device's number and MAC. One that is not there is an error that
// wraps fs.ErrNotExist.
func (m *ringMember) device() error {
	req := nl.NewNetlinkRequest(unix.RTM_GETLINK, 0)
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	req.AddData(nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(m.pod.Dev)))
	answer, err := ask(m.route, m.buf, req)
	if errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("no device %s: %w", m.pod.Dev, fs.ErrNotExist)
	}
	if err == nil {
		var link netlink.Link
		if link, err = netlink.LinkDeserialize(nil, answer); err == nil {
			m.dev, m.own = link.Attrs().Index, link.Attrs().HardwareAddr.String()
			return nil
		}
	}
	return fmt.Errorf("look at device %s: %w", m.pod.Dev, err)
}

func neighbourRequest(kind int, flags int, dev int, of netip.Addr) *nl.NetlinkRequest {
	req := nl.NewNetlinkRequest(kind, flags)
	req.AddData(&netlink.Ndmsg{Family: unix.AF_INET, Index: uint32(dev)})
	req.AddData(nl.NewRtAttr(netlink.NDA_DST, of.AsSlice()))
	return req
}

// neighbour is what the pod knows of an address, nil for nothing (RTM_GETNEIGH for one
// entry, Linux 5.0).
func (m *ringMember) neighbour(of netip.Addr) (*netlink.Neigh, error) {
	answer, err := ask(m.route, m.buf, neighbourRequest(unix.RTM_GETNEIGH, 0, m.dev, of))
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for the neighbour %s: %w", of, err)
	}
	return netlink.NeighDeserialize(answer)
}

// forget removes what the pod has learned of an address. An entry that somebody set is
// not a cache, and stays: then it tells fixed.
func (m *ringMember) forget(of netip.Addr) (fixed bool, err error) {
	e, err := m.neighbour(of)
	if e == nil || err != nil {
		return false, err
	}
	if e.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) != 0 {
		return true, nil
	}
	return false, forgetAll(m.route, m.buf, []netlink.Neigh{{LinkIndex: m.dev, IP: of.AsSlice()}})
}

// neighbours lists what the pod knows on its device.
func (m *ringMember) neighbours() ([]netlink.Neigh, error) {
	req := nl.NewNetlinkRequest(unix.RTM_GETNEIGH, unix.NLM_F_DUMP)
	req.AddData(&netlink.Ndmsg{Family: unix.AF_INET})
	if err := unix.Sendto(m.route, req.Serialize(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("list the neighbours: %w", err)
	}
	var known []netlink.Neigh
	for {
		messages, err := answers(m.route, m.buf)
		if err != nil {
			return nil, fmt.Errorf("list the neighbours: %w", err)
		}
		for _, message := range messages {
			if message.Header.Type != unix.RTM_NEWNEIGH {
				return known, nil // NLMSG_DONE, or an error, and then others keep what they know
			}
			e, err := netlink.NeighDeserialize(message.Data)
			if err == nil && e.LinkIndex == m.dev {
				e.IP, e.HardwareAddr = slices.Clone(e.IP), slices.Clone(e.HardwareAddr) // they were part of the message
				known = append(known, *e)
			}
		}
	}
}

// forgetting is how many neighbours are forgotten by one call: what goes wrong with
// them has room in the socket.
const forgetting = 64

// forgetAll removes neighbours, many at a time. One that is gone is none.
func forgetAll(fd int, buf []byte, all []netlink.Neigh) error {
	for some := range slices.Chunk(all, forgetting) {
		var batch []byte
		var last uint32
		for i, e := range some {
			flags := 0
			if i == len(some)-1 { // of the others, only what goes wrong is answered
				flags = unix.NLM_F_ACK
			}
			req := neighbourRequest(unix.RTM_DELNEIGH, flags, e.LinkIndex, kernel.Addr(e.IP))
			batch, last = append(batch, req.Serialize()...), req.Seq
		}
		if err := unix.Sendto(fd, batch, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return fmt.Errorf("forget neighbours: %w", err)
		}
		for done := false; !done; {
			messages, err := answers(fd, buf)
			if err != nil {
				return fmt.Errorf("forget neighbours: %w", err)
			}
			for _, message := range messages {
				done = done || message.Header.Seq == last
				errno := syscall.Errno(-int32(nl.NativeEndian().Uint32(message.Data)))
				if errno != 0 && errno != unix.ENOENT {
					return fmt.Errorf("forget a neighbour: %w", errno)
				}
			}
		}
	}
	return nil
}
