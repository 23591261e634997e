package kernel

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// procMounts are mounts of procfs that stand nowhere in the tree, to look settings up
// in that are those of a pod's namespace.
//
// The kernel keeps each directory below /proc/sys/net that was looked up in its cache
// of names, by its parent directory and its name, which are the same for all namespaces:
// one chain, which every lookup walks (proc_sys_compare, fs/proc/proc_sysctl.c). In the
// thousandth namespace that takes a hundred times as long as in the first. A fresh mount
// has names of its own, so each serves a few namespaces only. The zero value has none
// yet.
type procMounts struct {
	mu      sync.Mutex
	at      *os.File // nil: none, or the last one was used up
	used    int
	refused bool
}

// perProcMount is how many lookups are made in one mount: to make it takes as long as
// some twenty.
const perProcMount = 64

// open opens a file of /proc, which is that of the namespace that the calling thread is
// in. To mount procfs takes Linux 5.2 and rights over the process namespace: in a sandbox,
// which has none of its own, the kernel refuses it. Then /proc does as well, but for the
// time.
func (p *procMounts) open(path string, how int) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used == perProcMount {
		p.drop()
	}
	if p.at == nil && !p.refused {
		p.at = mountProc()
		p.refused = p.at == nil
	}
	if p.at == nil {
		return unix.Open("/proc/"+path, how|unix.O_CLOEXEC, 0)
	}
	p.used++
	return unix.Openat(int(p.at.Fd()), path, how|unix.O_CLOEXEC, 0)
}

func (p *procMounts) drop() {
	if p.at != nil {
		_ = p.at.Close() // nothing is written to it
	}
	p.at, p.used = nil, 0
}

func (p *procMounts) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}

// mountProc mounts procfs for the calling process, nowhere; nil where it may not, or
// where somebody has made /proc/sys one that can't be written to.
func mountProc() *os.File {
	var where unix.Statfs_t
	if err := unix.Statfs("/proc/sys", &where); err != nil || where.Flags&unix.ST_RDONLY != 0 {
		return nil
	}
	fs, err := unix.Fsopen("proc", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil
	}
	defer unix.Close(fs)
	if unix.FsconfigCreate(fs) != nil {
		return nil
	}
	fd, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), "procfs")
}
