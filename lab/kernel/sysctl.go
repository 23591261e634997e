package kernel

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// SysctlPath is the file of a sysctl key. Keys are written as the path below
// /proc/sys, with slashes: device names may hold dots.
func SysctlPath(key string) string { return "/proc/sys/" + key }

// Sysctl reads a key as the namespace has it, without the final newline. An
// unknown key is an error that wraps fs.ErrNotExist.
func (n *Namespace) Sysctl(key string) (string, error) {
	if n.pause.on.Load() {
		return n.keptSysctl(key)
	}
	var value string
	err := n.whereKey(key, func() error {
		b, err := os.ReadFile(SysctlPath(key))
		value = strings.TrimSpace(string(b))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read sysctl %s in %s: %w", key, n, err)
	}
	return value, nil
}

// SetSysctl writes a key in the namespace.
func (n *Namespace) SetSysctl(key, value string) error {
	var err error
	if n.pause.on.Load() {
		err = n.setKeptSysctl(key, value)
	} else {
		err = n.whereKey(key, func() error { return writeSysctl(key, value) })
	}
	if err != nil {
		return fmt.Errorf("write %s to sysctl %s in %s: %w", value, key, n, err)
	}
	return nil
}

// SysctlNames lists the entries of a directory of keys, such as
// "net/ipv4/conf", whose entries are "all", "default" and the devices' names.
func (n *Namespace) SysctlNames(dir string) ([]string, error) {
	var names []string
	err := n.whereKey(dir, func() error {
		entries, err := os.ReadDir(SysctlPath(dir))
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list sysctl %s in %s: %w", dir, n, err)
	}
	return names, nil
}

// whereKey is where, for a key that leads to no file but one of the network's.
func (n *Namespace) whereKey(key string, f func() error) error {
	if err := checkSysctlKey(key); err != nil {
		return err
	}
	return n.where(f)
}

// checkSysctlKey holds a key to the files below /proc/sys/net: it may have stood
// in a journal, or hold the name that somebody gave to a device.
func checkSysctlKey(key string) error {
	if !fs.ValidPath(key) || !strings.HasPrefix(key, "net/") || strings.ContainsRune(key, 0) {
		return fmt.Errorf("%q is no key of the network's: %w", key, fs.ErrInvalid)
	}
	return nil
}

// where runs f on a thread of the namespace. /proc/sys/net shows the namespace
// of the thread that opens a file, and every thread that is not a visitor is
// the host's, so the host needs no visit.
func (n *Namespace) where(f func() error) error {
	if n.Name == Host {
		return f()
	}
	return n.Do(f)
}

// writeSysctl ends the value with a newline, as sysctl(8) does: of an empty one
// there would be nothing to write. It opens without O_CREAT and O_TRUNC: /proc/sys refuses neither, but
// a mistyped key must not look like a file that could be made.
func writeSysctl(key, value string) error {
	fd, err := unix.Open(SysctlPath(key), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_, err = unix.Write(fd, []byte(value+"\n"))
	if closeErr := unix.Close(fd); err == nil {
		err = closeErr
	}
	return err
}
