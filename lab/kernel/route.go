package kernel

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// RouteRefused tells whether a lookup of a route (RTM_GETROUTE) was made and its
// answer was no: there is no route (ENETUNREACH), or it is of type unreachable
// (EHOSTUNREACH), prohibit (EACCES) or blackhole (EINVAL; fib_props,
// net/ipv4/fib_semantics.c), or the source of a packet that came in was refused
// (EINVAL, EXDEV; fib_validate_source, net/ipv4/fib_frontend.c). Any other error is
// none of the routing's: nothing was looked up.
func RouteRefused(err error) (errno syscall.Errno, refused bool) {
	if !errors.As(err, &errno) {
		return 0, false
	}
	switch errno {
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EACCES, unix.EINVAL, unix.EXDEV:
		return errno, true
	}
	return 0, false
}
