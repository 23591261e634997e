package probe

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// listen opens a socket that receives the news of the namespace's neighbour
// table, so that an answer is known as soon as the kernel has it.
func (q arpQuestion) listen() (*socket, error) {
	s, err := openSocket(q.n, unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	err = s.with(func(fd int) error {
		return unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (unix.RTNLGRP_NEIGH - 1)})
	})
	if err != nil {
		s.close()
		return nil, fmt.Errorf("listen to news of neighbours: %w", err)
	}
	return s, nil
}

// await returns nil when the kernel gives up.
func (q arpQuestion) await(news *socket) (net.HardwareAddr, error) {
	buf := make([]byte, 1<<16)
	for {
		size, _, err := news.receive(buf)
		if errors.Is(err, unix.ENOBUFS) { // some news is lost, see ask
			continue
		}
		if err != nil {
			return nil, err
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:size])
		if err != nil {
			return nil, fmt.Errorf("read news of neighbours: %w", err)
		}
		for _, m := range messages {
			if m.Header.Type != unix.RTM_NEWNEIGH {
				continue
			}
			e, err := netlink.NeighDeserialize(m.Data)
			if err != nil || !q.concerns(e) {
				continue
			}
			if mac := confirmed(e); mac != nil {
				return mac, nil
			}
			if e.State == netlink.NUD_FAILED || e.State == netlink.NUD_NOARP { // it has given up, or won't ask
				return nil, nil
			}
		}
	}
}

func (q arpQuestion) entry(flags int) *netlink.Neigh {
	return &netlink.Neigh{LinkIndex: q.dev, Family: netlink.FAMILY_V4, Flags: flags, IP: q.target.AsSlice()}
}

func (q arpQuestion) concerns(e *netlink.Neigh) bool {
	return e.LinkIndex == q.dev && e.Family == netlink.FAMILY_V4 && kernel.Addr(e.IP) == q.target
}

// confirmed is the MAC that an answer brought. A stale entry has one too, but
// heard from a request of the neighbour's own, which answers nobody.
func confirmed(e *netlink.Neigh) net.HardwareAddr {
	if e.State&(netlink.NUD_REACHABLE|netlink.NUD_DELAY|netlink.NUD_PROBE) == 0 {
		return nil
	}
	return e.HardwareAddr
}

// find returns nil when the table has no entry.
func (q arpQuestion) find() (*netlink.Neigh, error) {
	entries, err := kernel.Dump(func() ([]netlink.Neigh, error) {
		return q.n.Netlink.NeighList(q.dev, netlink.FAMILY_V4)
	})
	if err != nil {
		return nil, fmt.Errorf("list neighbours: %w", err)
	}
	for i := range entries {
		if q.concerns(&entries[i]) {
			return &entries[i], nil
		}
	}
	return nil, nil
}

// lookUp returns nil when the table has no confirmed entry.
func (q arpQuestion) lookUp() (net.HardwareAddr, error) {
	e, err := q.find()
	if e == nil || err != nil {
		return nil, err
	}
	return confirmed(e), nil
}

// forget removes what the kernel has learned of the target. An entry that
// somebody set is not a cache, and stays.
func (q arpQuestion) forget() error {
	e, err := q.find()
	if e == nil || err != nil {
		return err
	}
	if e.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) != 0 {
		return fmt.Errorf("%s has a fixed neighbour entry, so the kernel does not ask", q.target)
	}
	return q.remove()
}

// tidy removes what a question without an answer has left, where nothing stood
// before it: an entry that says "being asked", or one of state NOARP. The kernel
// makes the latter where it takes the target for a broadcast address, as it does
// all of them in a namespace that never had an address or a route
// (arp_constructor, net/ipv4/arp.c).
func (q arpQuestion) tidy() error {
	e, err := q.find()
	if e == nil || err != nil || e.State&netlink.NUD_PERMANENT != 0 {
		return err
	}
	return q.remove()
}

func (q arpQuestion) remove() error {
	err := q.n.Netlink.NeighDel(q.entry(0))
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("forget the neighbour: %w", err)
	}
	return nil
}
