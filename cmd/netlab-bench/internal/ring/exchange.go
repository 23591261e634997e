package ring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// ping is one pod's.
type ping struct {
	namespace string
	to        netip.Addr
	socket    int
	answered  bool
}

const echoID = 0x6e62

// open opens a socket in the namespace that the thread is in, for replies to
// pings alone.
func open(to netip.Addr) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_ICMP)
	if err != nil {
		return -1, fmt.Errorf("open a raw socket: %w", err)
	}
	const icmpFilter = 1 // ICMP_FILTER in linux/icmp.h: what the socket does not want
	all := ^uint32(0)
	err = unix.SetsockoptInt(fd, unix.SOL_RAW, icmpFilter, int(all&^(1<<ipv4.ICMPTypeEchoReply)))
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Addr: to.As4()})
	}
	if err != nil {
		return -1, errors.Join(fmt.Errorf("ping %s: %w", to, err), unix.Close(fd))
	}
	return fd, nil
}

func exchange(pings []ping, patience time.Duration) error {
	request, err := (&icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: echoID, Seq: 1}}).Marshal(nil)
	if err != nil {
		return fmt.Errorf("make an echo request: %w", err)
	}
	missing := len(pings)
	deadline := time.Now().Add(patience)
	for next := time.Now(); missing > 0; {
		if now := time.Now(); !now.Before(next) {
			if now.After(deadline) {
				break
			}
			for _, p := range pings {
				if p.answered {
					continue
				}
				// A refusal, such as that a neighbour did not answer, may pass.
				_, _ = unix.Write(p.socket, request)
			}
			next = now.Add(again)
		}
		missing -= receive(pings, time.Until(next))
	}
	for _, p := range pings {
		if !p.answered {
			return fmt.Errorf("%s: no answer from %s within %v", p.namespace, p.to, patience)
		}
	}
	return nil
}

// receive waits for answers, and tells how many more are there now.
func receive(pings []ping, wait time.Duration) (more int) {
	var fds []unix.PollFd
	var of []int
	for i, p := range pings {
		if !p.answered {
			fds, of = append(fds, unix.PollFd{Fd: int32(p.socket), Events: unix.POLLIN}), append(of, i)
		}
	}
	if n, err := unix.Poll(fds, max(0, int(wait.Milliseconds()))+1); err != nil || n == 0 {
		return 0
	}
	var packet [256]byte
	for i, fd := range fds {
		if fd.Revents == 0 {
			continue
		}
		n, err := unix.Read(int(fd.Fd), packet[:])
		if err == nil && isAnswer(packet[:n]) {
			pings[of[i]].answered = true
			more++
		}
	}
	return more
}

// isAnswer tells whether an IPv4 packet is an answer to our request. Who sent it
// is right: the socket is connected.
func isAnswer(packet []byte) bool {
	if len(packet) < ipv4.HeaderLen {
		return false
	}
	message := packet[min(len(packet), int(packet[0]&0xf)*4):]
	const typeEchoReply, header = 0, 8
	return len(message) >= header && message[0] == typeEchoReply && binary.BigEndian.Uint16(message[4:]) == echoID
}
