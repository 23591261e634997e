package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Namespace is one network namespace and a netlink handle bound to it, for
// reads by any goroutine. Changes go through Change, so that the kernel's own
// words come back with a refusal.
type Namespace struct {
	// Name is the namespace's name, Host for the host's own.
	Name string
	// Netlink is bound to the namespace: using it moves no thread.
	Netlink *netlink.Handle

	file     *os.File
	firewall Firewall
	visitors *visitors
	procs    *procMounts
	second   second
	cookie   uint64 // 0: not read
	pause    *pause
	named    int64 // when the name was last seen to lead here; see Kernel.Still
	lists    lists
	numbers  map[int]string // what others it knows by which number; see Kernel.Across
}

func init() {
	// The library keeps this switch in a variable of its own. It makes sockets
	// that the library opens itself (see Change) report the kernel's words.
	nl.EnableErrorMessageReporting = true
}

func (n *Namespace) openHandle() error { return n.Do(n.handleHere) }

// handleHere opens the handle on a thread in the namespace.
func (n *Namespace) handleHere() error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open netlink in %s: %w", n, err)
	}
	n.Netlink = h
	n.cookie, _ = cookieHere() // Cookie says why
	return nil
}

func (n *Namespace) close() error {
	if n.Netlink != nil {
		n.Netlink.Close()
	}
	n.lists.clear()
	n.second.close()
	return errors.Join(n.firewall.close(), n.file.Close())
}

// current tells whether the name still leads to the namespace that is open.
// An inode number can't have been given away while the file is held open.
func (n *Namespace) current() bool {
	var held, named unix.Stat_t
	if unix.Fstat(int(n.file.Fd()), &held) != nil || unix.Stat(namespacePath(n.Name), &named) != nil {
		return false
	}
	return held.Dev == named.Dev && held.Ino == named.Ino
}

// String names the namespace for messages: its name, or "the host".
func (n *Namespace) String() string {
	if n.Name == Host {
		return "the host"
	}
	return n.Name
}

// Fd is the namespace's file descriptor, good for as long as its Kernel is open.
func (n *Namespace) Fd() int { return int(n.file.Fd()) }

// Change runs a netlink change. A change that the kernel refuses is asked for
// once more on a socket that brings back the kernel's words (NETLINK_EXT_ACK),
// since the handle's own sockets can't. A refused change has changed nothing,
// so asking twice is safe; a passing refusal may succeed the second time.
// The error wraps the errno.
func (n *Namespace) Change(change func(*netlink.Handle) error) error {
	h, done := n.idle()
	err := change(h)
	done()
	var errno syscall.Errno
	if !errors.As(err, &errno) || unanswered(errno) {
		return err
	}
	return n.Do(func() error { return change(&netlink.Handle{}) })
}

// unanswered tells whether an error may be the socket's own, with the kernel's
// answer lost: the change may be done (netlink(7), ENOBUFS). Asked again, the
// kernel would say that the object is there already, which is not the reason.
func unanswered(errno syscall.Errno) bool {
	return errno == unix.ENOBUFS || errno == unix.EINTR || errno == unix.EAGAIN
}

// Cookie is the number by which the kernel knows the namespace: unlike the
// inode, which goes to the next namespace made, it is never given out twice
// (SO_NETNS_COOKIE, Linux 5.14). It is 0 where the kernel has none.
func (n *Namespace) Cookie() (uint64, error) {
	if n.cookie != 0 {
		return n.cookie, nil
	}
	var cookie uint64
	err := n.Do(func() (err error) {
		cookie, err = cookieHere()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read the cookie of %s: %w", n, err)
	}
	return cookie, nil
}

// cookieHere is that of the calling thread's namespace.
func cookieHere() (uint64, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open a socket: %w", err)
	}
	defer unix.Close(fd)
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if errors.Is(err, unix.ENOPROTOOPT) {
		return 0, nil
	}
	return cookie, err
}

// Link is the device of that name. An unknown name is an error that wraps
// fs.ErrNotExist.
func (n *Namespace) Link(name string) (netlink.Link, error) {
	if n.pause.on.Load() {
		link, err := n.linkNamed(name)
		if err != nil {
			return nil, fmt.Errorf("look for link %q in %s: %w", name, n, err)
		}
		if link == nil {
			return nil, fmt.Errorf("no link %q in %s: %w", name, n, fs.ErrNotExist)
		}
		return link, nil
	}
	link, err := n.Netlink.LinkByName(name)
	var none netlink.LinkNotFoundError
	if errors.As(err, &none) {
		return nil, fmt.Errorf("no link %q in %s: %w", name, n, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("look for link %q in %s: %w", name, n, err)
	}
	return link, nil
}
