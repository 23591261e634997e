package probe

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// socket is a socket of one namespace. A thread visits the namespace only to
// open it: from then on it stays there whichever thread uses it, and Go's poller
// waits for it, so that no thread sleeps in a receive.
type socket struct {
	file *os.File
	conn syscall.RawConn
}

func openSocket(n *kernel.Namespace, domain, kind, protocol int) (*socket, error) {
	fd := -1
	err := n.Do(func() (err error) {
		fd, err = unix.Socket(domain, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open a socket in %s: %w", n, err)
	}
	s := &socket{file: os.NewFile(uintptr(fd), "socket")}
	if s.conn, err = s.file.SyscallConn(); err != nil {
		s.close()
		return nil, fmt.Errorf("open a socket in %s: %w", n, err)
	}
	return s, nil
}

// close gives the socket back. Closing has nothing to say of an attempt that
// has been made, so its error is dropped.
func (s *socket) close() { _ = s.file.Close() }

// closeLater is close for a packet socket, whose close is slow: see kernel.CloseLater.
func (s *socket) closeLater() {
	last := -1
	err := s.with(func(fd int) (err error) {
		last, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		go s.close()
		return
	}
	s.close() // at once, for it is not the last
	kernel.CloseLater(last)
}

// with runs f on the descriptor at once.
func (s *socket) with(f func(fd int) error) error {
	var err error
	if connErr := s.conn.Control(func(fd uintptr) { err = f(int(fd)) }); connErr != nil {
		return connErr
	}
	return err
}

// until makes receive end with os.ErrDeadlineExceeded once ctx is done. The
// function it returns takes that back.
func (s *socket) until(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = s.file.SetReadDeadline(time.Unix(1, 0)) })
}

// receive waits for one message.
func (s *socket) receive(buf []byte) (n int, from unix.Sockaddr, err error) {
	waitErr := s.conn.Read(func(fd uintptr) bool {
		n, from, err = unix.Recvfrom(int(fd), buf, 0)
		return err != unix.EAGAIN && err != unix.EINTR
	})
	if waitErr != nil {
		return 0, nil, waitErr
	}
	return n, from, err
}

// waiting tells whether a message is there to be received at once.
func (s *socket) waiting() bool {
	err := s.with(func(fd int) error {
		_, _, err := unix.Recvfrom(fd, nil, unix.MSG_PEEK|unix.MSG_DONTWAIT|unix.MSG_TRUNC)
		return err
	})
	return err == nil
}
