// Package ring proves that a lab works, whoever built it: every pod pings the
// next one, the last one the first.
package ring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// The neighbour table has room for 1024 entries, those of all namespaces together
// (facts.md, section 9), and a ping from pod to pod makes up to four. Of more
// packets at once the kernel loses some.
const window = 128

// again is after how long a packet counts as lost, and is sent again.
const again = 100 * time.Millisecond

// Ping pings from each of the network namespaces, given as paths, to the address
// of the next one. It wants an answer to each, within patience, and leaves no
// neighbour behind.
func Ping(namespaces []string, patience time.Duration) error {
	return onThread(func() error {
		host, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open the host's namespace: %w", err)
		}
		defer unix.Close(host)
		addrs := make([]netip.Addr, len(namespaces))
		for i, path := range namespaces {
			if err := enter(path); err != nil {
				return err
			}
			if addrs[i], err = address(); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		for from := 0; from < len(namespaces); from += window {
			to := min(from+window, len(namespaces))
			if err := pingSome(namespaces, addrs, from, to, patience); err != nil {
				return err
			}
			if err := unix.Setns(host, unix.CLONE_NEWNET); err != nil {
				return err
			}
			if err := forget(); err != nil {
				return err
			}
		}
		return nil
	})
}

// onThread runs work on a thread that is thrown away, for it will be elsewhere.
func onThread(work func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- work()
	}()
	return <-done
}

func enter(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter %s: %w", path, err)
	}
	return nil
}

// address is the first one that the namespace has, but for lo's.
func address() (netip.Addr, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return netip.Addr{}, err
	}
	defer h.Close()
	addrs, err := h.AddrList(nil, unix.AF_INET)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addrs {
		if addr, ok := netip.AddrFromSlice(a.IP.To4()); ok && !addr.IsLoopback() {
			return addr, nil
		}
	}
	return netip.Addr{}, errors.New("no address")
}

// ping is one pod's.
type ping struct {
	namespace string
	to        netip.Addr
	socket    int
	answered  bool
}

const echoID = 0x6e62

func pingSome(namespaces []string, addrs []netip.Addr, from, to int, patience time.Duration) error {
	pings := make([]ping, 0, to-from)
	defer func() {
		for _, p := range pings {
			_ = unix.Close(p.socket)
		}
	}()
	for i := from; i < to; i++ {
		if err := enter(namespaces[i]); err != nil {
			return err
		}
		p := ping{namespace: namespaces[i], to: addrs[(i+1)%len(addrs)]}
		var err error
		if p.socket, err = open(p.to); err != nil {
			return fmt.Errorf("%s: %w", p.namespace, err)
		}
		pings = append(pings, p)
	}
	if err := exchange(pings, patience); err != nil {
		return err
	}
	for i := range namespaces[from:to] { // and of the one that answered the last
		if err := enter(namespaces[from+i]); err != nil {
			return err
		}
		if err := forget(); err != nil {
			return err
		}
	}
	if err := enter(namespaces[to%len(namespaces)]); err != nil {
		return err
	}
	return forget()
}

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

// forget deletes the neighbours of the namespace that the thread is in.
func forget() error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer h.Close()
	neighbours, err := h.NeighList(0, unix.AF_INET)
	if err != nil {
		return fmt.Errorf("list neighbours: %w", err)
	}
	for _, n := range neighbours {
		if n.State&(unix.NUD_PERMANENT|unix.NUD_NOARP) != 0 {
			continue
		}
		if err := h.NeighDel(&n); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("forget %s: %w", n.IP, err)
		}
	}
	return nil
}

// Set writes a file of a namespace's settings.
func Set(namespace, path, value string) error {
	return onThread(func() error {
		if err := enter(namespace); err != nil {
			return err
		}
		return os.WriteFile(path, []byte(value), 0)
	})
}
