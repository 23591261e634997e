package kernel

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// While a Kernel is still, a sysctl's file stays open: it is read, written and read
// back, and to find it takes the kernel longer than all of that, the longer the more
// namespaces there are (all their directories stand in one hash chain,
// proc_sys_compare, fs/proc/proc_sysctl.c). An open file reads and writes the value
// itself, that of the namespace and device it was opened for.

// sysctlFile opens a key's file, or returns the one that is open.
func (n *Namespace) sysctlFile(key string) (*os.File, error) {
	n.lists.mu.Lock()
	defer n.lists.mu.Unlock()
	if f := n.lists.files[key]; f != nil {
		return f, nil
	}
	var f *os.File
	err := n.whereKey(key, func() (err error) {
		f, err = n.openSysctl(key)
		return err
	})
	if err != nil {
		return nil, err
	}
	if n.lists.files == nil {
		n.lists.files = map[string]*os.File{}
	}
	n.lists.files[key] = f
	return f, nil
}

// openSysctl opens for what the file's mode allows. The caller is in the namespace, and
// holds the lists' lock.
func (n *Namespace) openSysctl(key string) (f *os.File, err error) {
	open := func(how int) (int, error) { return n.procs.open("sys/"+key, how) }
	if n.Name == Host {
		at, path := n.sysctlDir(key)
		open = func(how int) (int, error) { return unix.Openat(at, path, how|unix.O_CLOEXEC, 0) }
	}
	for _, how := range []int{unix.O_RDWR, unix.O_RDONLY, unix.O_WRONLY} {
		fd, openErr := open(how)
		if openErr == nil {
			return os.NewFile(uintptr(fd), SysctlPath(key)), nil
		}
		err = errors.Join(err, &os.PathError{Op: "open", Path: SysctlPath(key), Err: openErr})
		if !errors.Is(openErr, unix.EACCES) {
			break
		}
	}
	return nil, err
}

// sysctlDir is where to look for a key of the host's, and by what path from there: of
// its devices, of which there may be many, it is the directory that they have in common,
// and stays open. In a pod's namespace there is no more than one look at it.
func (n *Namespace) sysctlDir(key string) (at int, path string) {
	part := strings.SplitN(key, "/", 4)
	if len(part) < 4 {
		return unix.AT_FDCWD, SysctlPath(key)
	}
	dir := strings.Join(part[:3], "/")
	if n.lists.dirs == nil {
		n.lists.dirs = map[string]*os.File{}
	}
	if n.lists.dirs[dir] == nil {
		fd, err := unix.Open(SysctlPath(dir), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil { // the whole path says why
			return unix.AT_FDCWD, SysctlPath(key)
		}
		n.lists.dirs[dir] = os.NewFile(uintptr(fd), SysctlPath(dir))
	}
	return int(n.lists.dirs[dir].Fd()), part[3]
}

func (n *Namespace) keptSysctl(key string) (string, error) {
	f, err := n.sysctlFile(key)
	var b [256]byte
	size := 0
	if err == nil {
		size, err = unix.Pread(int(f.Fd()), b[:], 0)
		runtime.KeepAlive(f)
	}
	if err != nil {
		return "", fmt.Errorf("read sysctl %s in %s: %w", key, n, err)
	}
	return strings.TrimSpace(string(b[:size])), nil
}

func (n *Namespace) setKeptSysctl(key, value string) error {
	f, err := n.sysctlFile(key)
	if err == nil {
		_, err = f.WriteAt([]byte(value+"\n"), 0)
	}
	return err
}
