package main

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// settings opens the directories of namespaces' settings.
//
// Below /proc/sys/net the kernel keeps a directory entry for each namespace that
// somebody looked from, all in one chain of the dentry cache, for their parent and
// name are the same; and each lookup walks it (proc_sys_compare,
// fs/proc/proc_sysctl.c). Looked up in one mount of procfs, the thousandth costs a
// hundred times the first. So every few namespaces get a mount of their own, which
// is nowhere to be seen; or /proc, where that is not allowed (in a user namespace
// without a process namespace of its own).
type settings struct {
	proc int // a mount of procfs; -1: none yet
	used int
}

// perMount is how many namespaces use one mount: making it costs as much as some
// twenty lookups.
const perMount = 64

// open opens /proc/sys/net/ipv6/conf of the namespace that the calling thread is
// in; -1 where the kernel has no IPv6.
func (s *settings) open() (int, error) {
	if s.proc < 0 || s.used == perMount {
		if err := s.mount(); err != nil {
			return -1, err
		}
	}
	s.used++
	fd, err := unix.Openat(s.proc, "sys/net/ipv6/conf", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return -1, nil
	}
	return fd, err
}

func (s *settings) mount() error {
	if s.proc >= 0 {
		if err := unix.Close(s.proc); err != nil {
			return err
		}
	}
	s.used = 0
	fs, err := unix.Fsopen("proc", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return fmt.Errorf("open procfs: %w", err)
	}
	err = unix.FsconfigCreate(fs)
	if errors.Is(err, unix.EPERM) {
		s.proc, err = unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return errors.Join(err, unix.Close(fs))
	}
	if err != nil {
		return fmt.Errorf("make procfs: %w", err)
	}
	if s.proc, err = unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC); err != nil {
		return fmt.Errorf("mount procfs: %w", err)
	}
	return unix.Close(fs)
}
