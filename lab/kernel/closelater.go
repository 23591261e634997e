package kernel

import (
	"time"

	"golang.org/x/sys/unix"
)

// promptly is how long CloseLater waits for itself at most.
const promptly = 2 * time.Millisecond

// CloseLater closes descriptors whose close has to wait for RCU, as a packet socket's
// does 8 to 21 ms (facts.md, section 9), without the caller's waiting for it, and
// without the end of the process doing so. They are put into a Unix socket that nobody
// can receive from, since it is in itself: what the kernel's own thread clears up
// (unix_gc, net/unix/garbage.c). Before Linux 6.9 that is done in the call, which then
// goes on in the background, and so it does where descriptors can't be put there. The
// descriptors are no longer the caller's. They are closed one after the other a little
// after the return, and until then a socket keeps its namespace: this is for the host's.
func CloseLater(fds ...int) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		throwAway(fds)
	}()
	select {
	case <-done:
	case <-time.After(promptly):
	}
}

func throwAway(fds []int) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		all := append([]int{pair[1]}, fds...)
		_ = unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(all...), nil, 0) // else they are closed by us
	}
	for _, fd := range fds {
		_ = unix.Close(fd) // of what was read or sent, closing has nothing to say
	}
	if err == nil { // last, for the kernel clears up when a Unix socket is closed
		_ = unix.Close(pair[0])
		_ = unix.Close(pair[1])
	}
}
