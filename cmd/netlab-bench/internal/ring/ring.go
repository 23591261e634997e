// Package ring proves that a lab works, whoever built it: every pod pings the
// next one, the last one the first.
package ring

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The neighbour table has room for 1024 entries, those of all namespaces together
// (facts.md, section 9), and a ping from pod to pod makes up to four. Of more
// packets at once the kernel loses some.
const window = 128

// again is after how long a packet counts as lost, and is sent again.
const again = 100 * time.Millisecond

// Ping pings from each of the network namespaces, given as paths, to the address
// of the next one. It wants an answer to each, within patience, and leaves no
// neighbour behind.
func Ping(namespaces []string, patience time.Duration) error {
	return onThread(func() error {
		host, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open the host's namespace: %w", err)
		}
		defer unix.Close(host)
		addrs := make([]netip.Addr, len(namespaces))
		for i, path := range namespaces {
			if err := enter(path); err != nil {
				return err
			}
			if addrs[i], err = address(); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		for from := 0; from < len(namespaces); from += window {
			to := min(from+window, len(namespaces))
			if err := pingSome(namespaces, addrs, from, to, patience); err != nil {
				return err
			}
			if err := unix.Setns(host, unix.CLONE_NEWNET); err != nil {
				return err
			}
			if err := forget(); err != nil {
				return err
			}
		}
		return nil
	})
}

// onThread runs work on a thread that is thrown away, for it will be elsewhere.
func onThread(work func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- work()
	}()
	return <-done
}

func enter(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter %s: %w", path, err)
	}
	return nil
}

// address is the first one that the namespace has, but for lo's.
func address() (netip.Addr, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return netip.Addr{}, err
	}
	defer h.Close()
	addrs, err := h.AddrList(nil, unix.AF_INET)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addrs {
		if addr, ok := netip.AddrFromSlice(a.IP.To4()); ok && !addr.IsLoopback() {
			return addr, nil
		}
	}
	return netip.Addr{}, errors.New("no address")
}

func pingSome(namespaces []string, addrs []netip.Addr, from, to int, patience time.Duration) error {
	pings := make([]ping, 0, to-from)
	defer func() {
		for _, p := range pings {
			_ = unix.Close(p.socket)
		}
	}()
	for i := from; i < to; i++ {
		if err := enter(namespaces[i]); err != nil {
			return err
		}
		p := ping{namespace: namespaces[i], to: addrs[(i+1)%len(addrs)]}
		var err error
		if p.socket, err = open(p.to); err != nil {
			return fmt.Errorf("%s: %w", p.namespace, err)
		}
		pings = append(pings, p)
	}
	if err := exchange(pings, patience); err != nil {
		return err
	}
	for i := range namespaces[from:to] { // and of the one that answered the last
		if err := enter(namespaces[from+i]); err != nil {
			return err
		}
		if err := forget(); err != nil {
			return err
		}
	}
	if err := enter(namespaces[to%len(namespaces)]); err != nil {
		return err
	}
	return forget()
}

// forget deletes the neighbours of the namespace that the thread is in.
func forget() error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer h.Close()
	neighbours, err := h.NeighList(0, unix.AF_INET)
	if err != nil {
		return fmt.Errorf("list neighbours: %w", err)
	}
	for _, n := range neighbours {
		if n.State&(unix.NUD_PERMANENT|unix.NUD_NOARP) != 0 {
			continue
		}
		if err := h.NeighDel(&n); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("forget %s: %w", n.IP, err)
		}
	}
	return nil
}

// Set writes a file of a namespace's settings.
func Set(namespace, path, value string) error {
	return onThread(func() error {
		if err := enter(namespace); err != nil {
			return err
		}
		return os.WriteFile(path, []byte(value), 0)
	})
}
