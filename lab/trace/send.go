package trace

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"netlab/lab"
)

// sender sends the probe and knows what comes back to it, by the means that a
// program has: what arrives at the device may still be dropped on its way there.
type sender interface {
	// poll is the descriptor to wait for, and what for.
	poll() (fd int, events int16)
	// send sends the probe. An errno is the network's refusal.
	send() error
	// look reads what has come. It waits for nothing.
	look() outcome
	close()
}

// outcome is what has come of the probe so far. The zero value is: nothing.
type outcome struct {
	answered bool
	rejected bool          // by an ICMP error or a reset
	errno    syscall.Errno // the refusal as the program gets it, if it does
}

func (o outcome) settled() bool { return o.answered || o.rejected || o.errno != 0 }

func openSender(sp *space, r Request, id *identity) (sender, error) {
	switch r.Probe {
	case lab.ProbeTCP:
		return openTCP(sp, r, id)
	case lab.ProbeUDP:
		return openUDP(sp, r, id)
	}
	return openEcho(sp, r, id)
}

// openIn opens a socket in a namespace.
func openIn(sp *space, kind, protocol int) (int, error) {
	fd := -1
	err := sp.n.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
		return err
	})
	if err != nil {
		return -1, fmt.Errorf("open a socket in %s: %w", sp.n, err)
	}
	return fd, nil
}

// echoSender sends an ICMP echo request.
type echoSender struct {
	fd int
	to netip.Addr
	id *identity
}

func openEcho(sp *space, r Request, id *identity) (sender, error) {
	fd, err := openIn(sp, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	if err != nil {
		return nil, err
	}
	return &echoSender{fd, r.To, id}, nil
}

func (s *echoSender) poll() (int, int16) { return s.fd, unix.POLLIN }
func (s *echoSender) close()             { _ = unix.Close(s.fd) }

func (s *echoSender) send() error {
	request := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: int(s.id.isn & 0xffff), Seq: 1, Data: s.id.marker[:]}}
	message, err := request.Marshal(nil)
	if err != nil {
		return fmt.Errorf("make an echo request: %w", err)
	}
	return unix.Sendto(s.fd, message, 0, &unix.SockaddrInet4{Addr: s.to.As4()})
}

func (s *echoSender) look() outcome {
	buf := make([]byte, 1<<16)
	for {
		size, _, err := unix.Recvfrom(s.fd, buf, unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return outcome{}
		}
		var p packet
		if !p.parseIP(buf[:size], false) {
			continue
		}
		switch s.id.kindOf(p) {
		case KindReply:
			return outcome{answered: true}
		case KindError:
			return outcome{rejected: true}
		}
	}
}

// udpSender sends a datagram from a connected socket: only what comes from the
// address that it was sent to is an answer.
type udpSender struct {
	fd int
	id *identity
	to netip.AddrPort
	// refused is what connecting already said.
	refused error
}

func openUDP(sp *space, r Request, id *identity) (sender, error) {
	fd, err := openIn(sp, unix.SOCK_DGRAM, 0)
	if err != nil {
		return nil, err
	}
	s := &udpSender{fd: fd, id: id, to: netip.AddrPortFrom(r.To, r.Port)}
	// Connecting sends nothing; it looks the route up.
	s.refused = unix.Connect(fd, &unix.SockaddrInet4{Addr: r.To.As4(), Port: int(r.Port)})
	if local, err := unix.Getsockname(fd); err == nil {
		if in, ok := local.(*unix.SockaddrInet4); ok {
			id.source = uint16(in.Port)
		}
	}
	return s, nil
}

func (s *udpSender) poll() (int, int16) { return s.fd, unix.POLLIN }
func (s *udpSender) close()             { _ = unix.Close(s.fd) }

func (s *udpSender) send() error {
	if s.refused != nil {
		return s.refused
	}
	_, err := unix.Write(s.fd, s.id.marker[:])
	return err
}

func (s *udpSender) look() outcome {
	buf := make([]byte, 1<<16)
	_, _, err := unix.Recvfrom(s.fd, buf, unix.MSG_DONTWAIT)
	return outcomeOf(err)
}

// outcomeOf is what a program learns from a receive or a connect.
func outcomeOf(err error) outcome {
	var errno syscall.Errno
	switch {
	case err == nil:
		return outcome{answered: true}
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR), errors.Is(err, unix.EINPROGRESS):
		return outcome{}
	case errors.As(err, &errno):
		return outcome{rejected: true, errno: errno}
	}
	return outcome{}
}

// tcpSender connects, as any program does, with an initial sequence number of
// the trace's choosing.
type tcpSender struct {
	fd int
	to *unix.SockaddrInet4
}

func openTCP(sp *space, r Request, id *identity) (sender, error) {
	fd, err := openIn(sp, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	s := &tcpSender{fd, &unix.SockaddrInet4{Addr: r.To.As4(), Port: int(r.Port)}}
	if err := chooseISN(fd, id.isn); err != nil {
		s.close()
		return nil, fmt.Errorf("choose a sequence number in %s: %w", sp.n, err)
	}
	return s, nil
}

// chooseISN: a socket that has a sequence number already, by TCP_REPAIR, keeps
// it when it connects (tcp_v4_connect, net/ipv4/tcp_ipv4.c). So the SYN is known
// by its number before it is sent, and nothing that NAT does hides it.
func chooseISN(fd int, isn uint32) error {
	const (
		tcpRepair        = 19 // linux/tcp.h
		tcpRepairQueue   = 20
		tcpQueueSeq      = 21
		sendQueue        = 2
		repairOffNoProbe = -1
	)
	for _, o := range [][2]int{{tcpRepair, 1}, {tcpRepairQueue, sendQueue}, {tcpQueueSeq, int(isn)}, {tcpRepair, repairOffNoProbe}} {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, o[0], o[1]); err != nil {
			return err
		}
	}
	return nil
}

func (s *tcpSender) poll() (int, int16) { return s.fd, unix.POLLOUT }
func (s *tcpSender) close()             { _ = unix.Close(s.fd) }

func (s *tcpSender) send() error {
	err := unix.Connect(s.fd, s.to)
	if errors.Is(err, unix.EINPROGRESS) {
		return nil
	}
	return err
}

func (s *tcpSender) look() outcome {
	err := unix.Connect(s.fd, s.to) // again: says how it stands, and sends nothing
	switch {
	case errors.Is(err, unix.EISCONN):
		return outcome{answered: true}
	case errors.Is(err, unix.EALREADY):
		return outcome{}
	}
	return outcomeOf(err)
}
