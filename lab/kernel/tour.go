package kernel

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Tour runs visit in one named namespace after another, on one thread that is thrown
// away, and opens each for no longer than that. It stops at the first error. A name
// that is not there is an error that wraps fs.ErrNotExist.
func Tour(names []string, visit func(i int) error) error {
	return onOwnThread(func() error {
		for i, name := range names {
			if err := enter(name); err != nil {
				return err
			}
			if err := visit(i); err != nil {
				return fmt.Errorf("in %s: %w", name, err)
			}
		}
		return nil
	})
}

// enter takes the calling thread to a named namespace.
func enter(name string) error {
	if err := checkNetnsName(name); err != nil {
		return err
	}
	fd, err := unix.Open(namespacePath(name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no network namespace %q: %w", name, unix.ENOENT)
	}
	if err != nil {
		return fmt.Errorf("open network namespace %q: %w", name, err)
	}
	defer unix.Close(fd)
	if err := netns.Set(netns.NsHandle(fd)); err != nil {
		return fmt.Errorf("enter the network namespace %q: %w", name, err)
	}
	return nil
}
