package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
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

func (m *ringMember) neighbourRequest(kind int, flags int, of netip.Addr) *nl.NetlinkRequest {
	req := nl.NewNetlinkRequest(kind, flags)
	req.AddData(&netlink.Ndmsg{Family: unix.AF_INET, Index: uint32(m.dev)})
	req.AddData(nl.NewRtAttr(netlink.NDA_DST, of.AsSlice()))
	return req
}

// neighbour is what the pod knows of an address, nil for nothing (RTM_GETNEIGH for one
// entry, Linux 5.0).
func (m *ringMember) neighbour(of netip.Addr) (*netlink.Neigh, error) {
	answer, err := ask(m.route, m.buf, m.neighbourRequest(unix.RTM_GETNEIGH, 0, of))
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
	_, err = ask(m.route, m.buf, m.neighbourRequest(unix.RTM_DELNEIGH, unix.NLM_F_ACK, of))
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return false, fmt.Errorf("forget the neighbour %s: %w", of, err)
	}
	return false, nil
}

// forgetAll removes all that the pod has learned of neighbours.
func (m *ringMember) forgetAll() error {
	req := nl.NewNetlinkRequest(unix.RTM_GETNEIGH, unix.NLM_F_DUMP)
	req.AddData(&netlink.Ndmsg{Family: unix.AF_INET})
	if err := unix.Sendto(m.route, req.Serialize(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("list the neighbours: %w", err)
	}
	var known []netip.Addr
	for done := false; !done; {
		messages, err := answers(m.route, m.buf)
		if err != nil {
			return fmt.Errorf("list the neighbours: %w", err)
		}
		for _, message := range messages {
			if message.Header.Type != unix.RTM_NEWNEIGH {
				done = true // NLMSG_DONE, or an error, and then others keep what they know
				break
			}
			if e, err := netlink.NeighDeserialize(message.Data); err == nil && e.LinkIndex == m.dev {
				known = append(known, kernel.Addr(e.IP))
			}
		}
	}
	for _, addr := range known {
		if _, err := m.forget(addr); err != nil {
			return err
		}
	}
	return nil
}
