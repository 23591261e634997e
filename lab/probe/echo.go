package probe

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// icmpHeaderLen is the length of an echo message's header, in bytes (RFC 792);
// an error's is the same, with the offending packet after it.
const icmpHeaderLen = 8

// echo is one ICMP echo request. Its identifier tells it from others in one
// namespace; its marker, the payload, everywhere: NAT may rewrite the former.
type echo struct {
	dst    netip.Addr
	id     uint16
	marker [16]byte
	// padding is how many zero bytes of payload follow the marker.
	padding int
}

// echoAnswer is what came of an echo request. The zero value is silence.
type echoAnswer struct {
	from netip.Addr // zero also for an error of NS's own kernel at sending
	ttl  int
	err  string // in ping(8)'s words; empty for an echo reply
}

func (a echoAnswer) silent() bool { return a == echoAnswer{} }

func newEcho(dst netip.Addr) (echo, error) {
	if !dst.Is4() || dst.IsMulticast() || dst.IsUnspecified() {
		return echo{}, fmt.Errorf("%s is not an IPv4 address of one host", dst)
	}
	e := echo{dst: dst}
	var random [18]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	e.id = binary.NativeEndian.Uint16(random[:])
	copy(e.marker[:], random[2:])
	return e, nil
}

// openICMP opens a raw ICMP socket that receives echo replies and errors only.
func openICMP(n *kernel.Namespace) (*socket, error) {
	s, err := openSocket(n, unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	if err != nil {
		return nil, err
	}
	if err := s.with(filterICMP); err != nil {
		s.close()
		return nil, fmt.Errorf("filter ICMP in %s: %w", n, err)
	}
	return s, nil
}

// filterICMP lets a raw socket receive echo replies and errors only.
func filterICMP(fd int) error {
	var refused uint32 = 1<<32 - 1
	for _, kind := range []ipv4.ICMPType{ipv4.ICMPTypeEchoReply, ipv4.ICMPTypeDestinationUnreachable,
		ipv4.ICMPTypeTimeExceeded, ipv4.ICMPTypeParameterProblem} {
		refused &^= 1 << kind
	}
	const icmpFilter = 1 // ICMP_FILTER in linux/icmp.h
	return unix.SetsockoptInt(fd, unix.SOL_RAW, icmpFilter, int(refused))
}

// resendAfter is after how long a silence the request is sent once more. The queue of
// what a processor has received is one for all namespaces (net.core.netdev_max_backlog):
// where somebody else fills it, a packet is lost that nothing in the lab has stopped.
const resendAfter = 500 * time.Millisecond

// exchange sends the request, once more after resendAfter, and waits for what comes of
// it until wait is done, which is silence.
func (e echo) exchange(wait context.Context, s *socket) (echoAnswer, error) {
	request := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: int(e.id), Seq: 1, Data: e.payload()}}
	packet, err := request.Marshal(nil)
	if err != nil {
		return echoAnswer{}, fmt.Errorf("make an echo request: %w", err)
	}
	defer s.until(wait)()
	send := func() error {
		return s.with(func(fd int) error { return unix.Sendto(fd, packet, 0, &unix.SockaddrInet4{Addr: e.dst.As4()}) })
	}
	err = send()
	var errno syscall.Errno
	if errors.As(err, &errno) && refusesPacket(errno) {
		return echoAnswer{err: errnoWords(errno)}, nil
	}
	if err != nil {
		return echoAnswer{}, fmt.Errorf("send an echo request to %s: %w", e.dst, err)
	}
	again := time.AfterFunc(resendAfter, func() { _ = send() }) // whether it may, the first one has shown
	defer again.Stop()
	buf := make([]byte, 1<<16)
	for {
		size, _, err := s.receive(buf)
		if wait.Err() != nil && err != nil {
			return echoAnswer{}, nil
		}
		if err != nil {
			return echoAnswer{}, fmt.Errorf("receive an echo reply from %s: %w", e.dst, err)
		}
		if a := e.answer(buf[:size]); !a.silent() {
			return a, nil
		}
	}
}

// refusesPacket tells whether the network said no, rather than the attempt
// being impossible: no route, a route or firewall that refuses, a device down.
func refusesPacket(errno syscall.Errno) bool {
	switch errno {
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EACCES, unix.EPERM, unix.EINVAL,
		unix.ENETDOWN, unix.EADDRNOTAVAIL, unix.ECONNREFUSED, unix.ECONNRESET, unix.EHOSTDOWN, unix.ENONET:
		return true
	}
	return false
}

// answer reads a received packet, its IP header first. It is silence unless
// the packet is the reply to this very request, or an error that quotes it.
func (e echo) answer(packet []byte) echoAnswer {
	src, _, ttl, message := splitICMP(packet)
	if message == nil {
		return echoAnswer{}
	}
	if kind := ipv4.ICMPType(message[0]); kind != ipv4.ICMPTypeEchoReply {
		_, dst, _, quoted := splitICMP(message[icmpHeaderLen:])
		if dst != e.dst || !e.isIn(quoted, ipv4.ICMPTypeEcho) {
			return echoAnswer{}
		}
		return echoAnswer{from: src, ttl: ttl, err: icmpWords(kind, int(message[1]), binary.BigEndian.Uint16(message[6:]))}
	}
	if !e.isIn(message, ipv4.ICMPTypeEchoReply) || len(message) != icmpHeaderLen+len(e.marker)+e.padding {
		return echoAnswer{}
	}
	return echoAnswer{from: src, ttl: ttl}
}

// isIn compares identifier, sequence number and as much of the marker as is
// there: an error need not quote more than the header.
func (e echo) isIn(message []byte, kind ipv4.ICMPType) bool {
	if len(message) < icmpHeaderLen || message[0] != byte(kind) ||
		binary.BigEndian.Uint16(message[4:]) != e.id || binary.BigEndian.Uint16(message[6:]) != 1 {
		return false
	}
	payload := message[icmpHeaderLen:]
	quoted := min(len(payload), len(e.marker))
	return bytes.Equal(payload[:quoted], e.marker[:quoted])
}

// splitICMP takes an IPv4 packet apart. The message is nil, or at least as long
// as an ICMP header.
func splitICMP(packet []byte) (src, dst netip.Addr, ttl int, message []byte) {
	h, err := ipv4.ParseHeader(packet)
	if err != nil || h.Protocol != unix.IPPROTO_ICMP || len(packet) < h.Len+icmpHeaderLen {
		return netip.Addr{}, netip.Addr{}, 0, nil
	}
	return kernel.Addr(h.Src), kernel.Addr(h.Dst), h.TTL, packet[h.Len:]
}

// payload is the marker, and zeros behind it.
func (e echo) payload() []byte {
	data := make([]byte, len(e.marker)+e.padding)
	copy(data, e.marker[:])
	return data
}
