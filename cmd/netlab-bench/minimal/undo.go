package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// takeAway takes all namespaces' names away with one call, and gives those that
// are not the lab's back: a call for each name would wait for a grace period each.
// The kernel then drops the namespaces, with their devices and so with the host's
// ends, many at once.
//
// Between the calls the others have no names. netlab must not do that.
func takeAway(l lab) error {
	others, err := openOthers(l)
	if err != nil {
		return err
	}
	if err := unix.Unmount(netnsDir, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", netnsDir, err)
	}
	if err := shareNetnsDir(); err != nil {
		return err
	}
	for path, fd := range others {
		if err := unix.Mount("/proc/self/fd/"+strconv.Itoa(fd), path, "none", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s again: %w", path, err)
		}
	}
	for _, p := range l.all() {
		if err := os.Remove(filepath.Join(netnsDir, p.name)); err != nil {
			return err
		}
	}
	host, err := socket()
	if err != nil {
		return err
	}
	return l.dismantle(host, &batch{})
}

// openOthers opens the named namespaces that are not the lab's, by path.
func openOthers(l lab) (map[string]int, error) {
	ours := map[string]bool{}
	for _, p := range l.all() {
		ours[p.name] = true
	}
	entries, err := os.ReadDir(netnsDir)
	if err != nil {
		return nil, err
	}
	others := map[string]int{}
	for _, e := range entries {
		if ours[e.Name()] {
			continue
		}
		path := filepath.Join(netnsDir, e.Name())
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.EACCES) { // a file that nothing is mounted on
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		others[path] = fd
	}
	return others, nil
}
