package trace

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// clock keeps the kernel stamping frames with the time at which they pass. It does
// so only while a socket somewhere wants it, and begins up to some milliseconds
// after the first asks (netstamp_work, net/core/dev.c); a frame that went before
// bears the time of its reading (__sock_recv_timestamp, net/socket.c), which would
// put hops in a wrong order. So a clock is started first, in a namespace of its
// own, and sends itself datagrams there until they bear a time.
type clock struct {
	fd    int
	going chan error
}

func startClock() (*clock, error) {
	c := &clock{fd: -1, going: make(chan error, 1)}
	if err := kernel.Scratch(c.open); err != nil {
		if c.fd >= 0 {
			_ = unix.Close(c.fd)
		}
		return nil, fmt.Errorf("start the clock for frames: %w", err)
	}
	go func() { c.going <- c.tick() }()
	return c, nil
}

func (c *clock) open() (err error) {
	c.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(c.fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return err
	}
	// Unlike SO_TIMESTAMPNS, it says nothing where the kernel had no time.
	err = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, unix.SOF_TIMESTAMPING_RX_SOFTWARE|unix.SOF_TIMESTAMPING_SOFTWARE)
	if err != nil {
		return err
	}
	if err := unix.Bind(c.fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	self, err := unix.Getsockname(c.fd)
	if err != nil {
		return err
	}
	return unix.Connect(c.fd, self)
}

// tick returns once frames are stamped.
func (c *clock) tick() error {
	const longest, pause = time.Second, 50 * time.Microsecond
	oob := make([]byte, 256)
	for deadline := time.Now().Add(longest); time.Now().Before(deadline); time.Sleep(pause) {
		if _, err := unix.Write(c.fd, []byte{0}); err != nil {
			return err
		}
		_, size, _, _, err := unix.Recvmsg(c.fd, make([]byte, 1), oob, 0)
		if err != nil {
			return err
		}
		if size > 0 {
			return nil
		}
	}
	return errors.New("the kernel does not stamp frames")
}

// wait returns once frames are stamped.
func (c *clock) wait() error {
	err := <-c.going
	c.going <- err
	if err != nil {
		return fmt.Errorf("start the clock for frames: %w", err)
	}
	return nil
}

func (c *clock) close() {
	go func() {
		<-c.going
		_ = unix.Close(c.fd)
	}()
}
