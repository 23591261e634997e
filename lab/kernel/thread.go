package kernel

import (
	"fmt"
	"runtime"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Do runs visit on a thread inside the namespace and returns its error.
//
// The thread is one of those that are locked for good and used for nothing else: a
// thread that was moved is never handed to other goroutines (facts.md, section 8).
// Everything visit opens (sockets, sysctl files, children it starts) belongs to
// the namespace. visit must leave the thread as it is but for that, and must not
// hand it on: a goroutine that it starts runs elsewhere.
func (n *Namespace) Do(visit func() error) error {
	if n.Name == Host { // where every thread is that visits nowhere
		return onOwnThread(visit)
	}
	return n.visitors.send(n.Fd(), visit)
}

// doAlone runs visit on a thread inside the namespace that is thrown away, so that
// visit may do with it what it likes.
func (n *Namespace) doAlone(visit func() error) error {
	return onOwnThread(func() error {
		if n.Name == Host {
			return visit()
		}
		if err := netns.Set(netns.NsHandle(n.Fd())); err != nil {
			return fmt.Errorf("enter the network namespace of %s: %w", n, err)
		}
		return visit()
	})
}

// onOwnThread runs work on a thread of its own, which is thrown away.
func onOwnThread(work func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- work()
	}()
	return <-done
}

// Scratch runs visit on a thread inside a network namespace that is made for it,
// has no name, and is gone when the sockets that visit opened are. It takes about
// half a millisecond.
func Scratch(visit func() error) error {
	return onOwnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("make a network namespace: %w", err)
		}
		return visit()
	})
}

// OwnMounts runs visit on a thread with a copy of all mounts of its own: what it
// mounts is seen by nobody else, and gone when it returns.
func OwnMounts(visit func() error) error {
	return onOwnThread(func() error {
		if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
			return fmt.Errorf("copy the mounts: %w", err)
		}
		if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("part the mounts: %w", err)
		}
		return visit()
	})
}
