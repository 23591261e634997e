package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// netnsDir is where ip-netns(8) looks for namespaces.
const netnsDir = "/run/netns"

// made is a namespace that is made and named, and what is done in it from outside.
type made struct {
	pod
	namespace int // file descriptor
	socket    int // netlink's, of the namespace
	ipv6      int // its /proc/sys/net/ipv6/conf; -1 without IPv6
}

// ahead is how many namespaces may be made before their devices are: the two
// stages need about as long, so a few are enough to let neither wait.
const ahead = 16

// The stages, as calls are noted under.
const (
	stageOne = "namespaces"
	stageTwo = "netlink"
)

// build makes a lab in two stages that run side by side: one makes and names the
// namespaces, the other does the netlink work. What its kernel calls cost is noted
// in first and second, which may be nil.
func build(l lab, first, second *calls) error {
	host, err := socket()
	if err != nil {
		return err
	}
	b := &batch{calls: second}
	if err := l.prepare(host, b); err != nil {
		return err
	}
	if err := shareNetnsDir(); err != nil {
		return err
	}
	pipe := make(chan made, ahead)
	failed := make(chan error, 1)
	go func() {
		defer close(pipe)
		runtime.LockOSThread() // never unlocked: it ends in another namespace than it began
		s := &settings{proc: -1}
		for _, p := range l.all() {
			m, err := newNamespace(p, s, first)
			if err != nil {
				failed <- err
				return
			}
			pipe <- m
		}
		failed <- nil
	}()
	runtime.LockOSThread()
	for m := range pipe {
		if err := wire(l, b, host, m); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return <-failed
}

// newNamespace makes a namespace and names it as `ip netns add` does. The calling
// thread is in it afterwards.
func newNamespace(p pod, s *settings, c *calls) (made, error) {
	m := made{pod: p, ipv6: -1}
	path := filepath.Join(netnsDir, p.name)
	began := c.now()
	f, err := unix.Open(path, unix.O_RDONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if err != nil {
		return m, fmt.Errorf("name %s: %w", p.name, err)
	}
	if err := unix.Close(f); err != nil {
		return m, fmt.Errorf("name %s: %w", p.name, err)
	}
	c.add(stageOne, "open: the file that the namespace is mounted on", began)
	began = c.now()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return m, fmt.Errorf("make %s: %w", p.name, err)
	}
	c.add(stageOne, "unshare: a network namespace", began)
	began = c.now()
	if err := unix.Mount("/proc/thread-self/ns/net", path, "none", unix.MS_BIND, ""); err != nil {
		return m, fmt.Errorf("mount %s: %w", p.name, err)
	}
	c.add(stageOne, "mount: its name", began)
	began = c.now()
	if m.namespace, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return m, fmt.Errorf("open %s: %w", p.name, err)
	}
	if m.socket, err = socket(); err != nil {
		return m, err
	}
	c.add(stageOne, "open, socket: the namespace, netlink in it", began)
	began = c.now()
	if m.ipv6, err = s.open(); err != nil {
		return m, fmt.Errorf("open the settings of %s: %w", p.name, err)
	}
	c.add(stageOne, "open: its /proc/sys/net/ipv6/conf", began)
	return m, nil
}

// wire makes the pod's cable and all that the lab has outside and inside.
func wire(l lab, b *batch, host int, m made) error {
	l.outside(b, m.pod, m.namespace)
	if err := b.send(host); err != nil {
		return err
	}
	if m.ipv6 >= 0 { // before the device is up, which would take an address
		began := b.calls.now()
		if err := write(m.ipv6, "eth0/disable_ipv6", "1"); err != nil {
			return err
		}
		if err := unix.Close(m.ipv6); err != nil {
			return err
		}
		b.calls.add(stageTwo, "write: disable_ipv6 of the pod's end", began)
	}
	l.inside(b, m.pod)
	if err := b.send(m.socket); err != nil {
		return err
	}
	began := b.calls.now()
	err := errors.Join(unix.Close(m.socket), unix.Close(m.namespace))
	b.calls.add(stageTwo, "close: netlink, the namespace", began)
	return err
}

// write writes a file below a directory. That of a namespace's settings, opened by
// a thread in the namespace, can be used from outside.
func write(dir int, name, value string) error {
	fd, err := unix.Openat(dir, name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	_, err = unix.Write(fd, []byte(value))
	return errors.Join(err, unix.Close(fd))
}

// shareNetnsDir makes the directory what `ip netns add` makes it: a shared mount.
func shareNetnsDir() error {
	if err := os.MkdirAll(netnsDir, 0o755); err != nil {
		return err
	}
	err := unix.Mount("", netnsDir, "none", unix.MS_SHARED|unix.MS_REC, "")
	if errors.Is(err, unix.EINVAL) { // not a mount point yet
		err = errors.Join(unix.Mount(netnsDir, netnsDir, "none", unix.MS_BIND|unix.MS_REC, ""),
			unix.Mount("", netnsDir, "none", unix.MS_SHARED|unix.MS_REC, ""))
	}
	return err
}
