package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// ringMember is a pod while it pings. Its sockets stay in the pod, whichever thread uses them.
type ringMember struct {
	pod     RingPod
	echo    echo
	request []byte
	hop     netip.Addr // whom the pod asks for by ARP
	dev     int
	own     string // its device's MAC
	buf     []byte // for answers of the kernel's, the same for all
	ttl     int    // of the answer
	icmp    int    // -1: not open
	route   int    // a netlink socket, -1: not open
	mac     string // of hop, as the pod was told
	want    string
	problem string // in ping(8)'s words; empty: it reached the next one
	done    bool
	number  int32     // among those that ping at once
	polled  bool      // its answer is waited for by epoll
	until   time.Time // an answer is waited for
	next    time.Time // the request is sent again
}

// noAnswer is the problem of a pod that hears nothing.
const noAnswer = "no answer"

// window has the pods from one to another ping, and returns what came of it. The sockets are
// closed again. Where the MAC expected is that of the next pod, there is one more.
func (p Ring) window(ctx context.Context, from, to int, patience time.Duration) (members []*ringMember, err error) {
	names := make([]string, 0, to-from+1)
	buf := make([]byte, 1<<15) // what a dump's messages are at most (netlink_dump, net/netlink/af_netlink.c)
	last := to
	if p.Gateway.IsValid() {
		last--
	}
	for i := from; i <= last; i++ {
		m := &ringMember{pod: p.Pods[i%len(p.Pods)], icmp: -1, route: -1, buf: buf}
		if m.echo, err = newEcho(p.Pods[(i+1)%len(p.Pods)].Addr); err != nil {
			return nil, err
		}
		if m.hop = p.Gateway; !m.hop.IsValid() {
			m.hop = m.echo.dst
		}
		members, names = append(members, m), append(names, m.pod.NS)
	}
	defer func() {
		for _, m := range members {
			m.close()
		}
		members = members[:min(to-from, len(members))] // without the one after them
	}()
	err = kernel.Tour(names, func(i int) error { return members[i].open(i < to-from) })
	if err != nil {
		return members, err
	}
	for i, m := range members[:to-from] {
		if m.want = p.WantMAC; !p.Gateway.IsValid() {
			m.want = members[i+1].own
		}
	}
	if err := exchangeAll(ctx, members[:to-from], p.atOnce(), patience); err != nil {
		return members, err
	}
	for _, m := range members[:to-from] {
		if err := m.learned(p.WantTTL); err != nil {
			return members, fmt.Errorf("look at the neighbours of %s: %w", m.pod.NS, err)
		}
	}
	return members, nil
}

// open opens the sockets on a thread in the pod, and forgets the next hop. Of a pod
// that does not ping it reads the MAC.
func (m *ringMember) open(pings bool) (err error) {
	if m.route, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE); err != nil {
		return fmt.Errorf("open a netlink socket: %w", err)
	}
	if pings && m.hop != m.echo.dst {
		err = m.deviceNumber()
	} else {
		err = m.device()
	}
	if err != nil || !pings {
		return err
	}
	m.icmp, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_ICMP)
	if err != nil {
		return fmt.Errorf("open a raw socket: %w", err)
	}
	if err := filterICMP(m.icmp); err != nil {
		return fmt.Errorf("filter ICMP: %w", err)
	}
	message := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: int(m.echo.id), Seq: 1, Data: m.echo.marker[:]}}
	if m.request, err = message.Marshal(nil); err != nil {
		return fmt.Errorf("make an echo request: %w", err)
	}
	fixed, err := m.forget(m.hop)
	if fixed {
		return fmt.Errorf("%s has a fixed neighbour entry, so the kernel does not ask", m.hop)
	}
	return err
}

func (m *ringMember) close() {
	for _, fd := range []*int{&m.icmp, &m.route} {
		if *fd >= 0 {
			_ = unix.Close(*fd) // what was asked was answered
		}
		*fd = -1
	}
}

// send sends the request, for the first time or again.
func (m *ringMember) send() error {
	err := unix.Sendto(m.icmp, m.request, 0, &unix.SockaddrInet4{Addr: m.echo.dst.As4()})
	var errno syscall.Errno
	switch {
	case err == nil, errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOBUFS): // it is sent again
		return nil
	case errors.As(err, &errno) && refusesPacket(errno):
		m.done, m.problem = true, errnoWords(errno)
		return nil
	}
	return fmt.Errorf("send an echo request from %s to %s: %w", m.pod.NS, m.echo.dst, err)
}

// learned reads which MAC the pod was told, and forgets it, and all that it has learned
// of those that asked for it.
func (m *ringMember) learned(wantTTL int) error {
	if m.problem == "" && wantTTL != 0 && m.ttl != wantTTL {
		m.problem = fmt.Sprintf("ttl=%d", m.ttl)
	}
	known, err := m.neighbours()
	if err != nil {
		return err
	}
	var learned []netlink.Neigh
	for _, e := range known {
		if kernel.Addr(e.IP) == m.hop && e.State&(netlink.NUD_INCOMPLETE|netlink.NUD_FAILED) == 0 {
			m.mac = e.HardwareAddr.String()
		}
		if e.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) == 0 {
			learned = append(learned, e)
		}
	}
	return forgetAll(m.route, m.buf, learned)
}
