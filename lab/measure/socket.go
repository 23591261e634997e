package measure

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// patience is how long a socket waits for anything. It is also how long an end of
// the context may go unnoticed.
const patience = 200 * time.Millisecond

// socket is the descriptor of a blocking socket.
type socket int

// open makes a socket of a namespace that waits no longer than patience.
func open(n *kernel.Namespace, kind, protocol int) (socket, error) {
	s := socket(-1)
	err := n.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, protocol)
		s = socket(fd)
		return err
	})
	if err != nil {
		return -1, fmt.Errorf("open a socket in %s: %w", n, err)
	}
	wait := unix.NsecToTimeval(patience.Nanoseconds())
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} { // the latter holds for connect too
		if err := unix.SetsockoptTimeval(int(s), unix.SOL_SOCKET, option, &wait); err != nil {
			s.close()
			return -1, fmt.Errorf("set a timeout: %w", err)
		}
	}
	return s, nil
}

// close gives the socket back; there is nothing to be said of it any more.
func (s socket) close() { _ = unix.Close(int(s)) }

// bind gives the socket an address and a port that the kernel chooses.
func (s socket) bind(addr netip.Addr) (unix.Sockaddr, error) {
	if err := unix.Bind(int(s), &unix.SockaddrInet4{Addr: addr.As4()}); err != nil {
		return nil, fmt.Errorf("bind to %s: %w", addr, err)
	}
	at, err := unix.Getsockname(int(s))
	if err != nil {
		return nil, fmt.Errorf("read the port: %w", err)
	}
	return at, nil
}

// read receives at most len(buf) bytes; 0 and no error: the other end is closed,
// or nothing came within patience, which silent tells.
func (s socket) read(buf []byte) (n int, silent bool, err error) {
	for {
		n, err = unix.Read(int(s), buf)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return 0, true, nil
		}
		return max(n, 0), false, err
	}
}

// write sends what a blocking socket takes at once.
func (s socket) write(buf []byte) (n int, err error) {
	for {
		n, err = unix.Write(int(s), buf)
		if !errors.Is(err, unix.EINTR) {
			return max(n, 0), err
		}
	}
}
