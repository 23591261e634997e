package fault

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// describe tells what a call is, unless it is one that we don't ask about.
func (w *watch) describe(n *notif) (c Call, ok bool) {
	switch n.nr {
	case unix.SYS_SENDTO, unix.SYS_SENDMSG:
		c, ok = w.sends(n)
	case unix.SYS_RECVFROM, unix.SYS_RECVMSG:
		c, ok = w.receives(n)
	case unix.SYS_SOCKET:
		domain := int(n.args[0])
		ok = domain == unix.AF_NETLINK || domain == unix.AF_PACKET || domain == unix.AF_INET
		c = Call{Kind: Socket, Text: fmt.Sprintf("socket of family %d", domain)}
	case unix.SYS_OPENAT:
		c, ok = about("open", n.path(1))
	case unix.SYS_WRITE, unix.SYS_PWRITE64:
		if n.args[0] < 3 {
			return c, false
		}
		c, ok = about("write", n.file(0))
	case unix.SYS_FTRUNCATE:
		c, ok = about("truncate", n.file(0))
	case unix.SYS_MKDIRAT:
		c, ok = about("make directory", n.path(1))
	case unix.SYS_UNLINKAT:
		c, ok = about("remove", n.path(1))
	case unix.SYS_LINKAT, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2:
		c, ok = about("put in place", n.path(3))
	case unix.SYS_MOUNT:
		c, ok = Call{Kind: Mount, Text: "mount " + n.path(1)}, true
	case unix.SYS_UMOUNT2:
		c, ok = Call{Kind: Mount, Text: "unmount " + n.path(0)}, true
	case unix.SYS_UNSHARE:
		c, ok = Call{Kind: Enter, Text: "unshare"}, true
	case unix.SYS_SETNS:
		c, ok = Call{Kind: Enter, Text: "setns"}, true
	case unix.SYS_EXECVE:
		c, ok = Call{Kind: Exec, Text: n.path(0)}, w.began
		w.began = true
	}
	if c.key == "" {
		c.key = c.Text
	}
	return c, ok
}

// about is a call on a file, if it is one of those we ask about.
func about(verb, path string) (Call, bool) {
	c := Call{Text: verb + " " + path}
	switch {
	case strings.HasPrefix(path, "/proc/sys/net/"):
		c.Kind = Sysctl
	case strings.HasPrefix(path, "/run/netlab"):
		c.Kind = State
	case strings.HasPrefix(path, "/run/netns"):
		c.Kind = Name
	default:
		return c, false
	}
	return c, true
}

// memory reads the caller's memory; less of it where it ends.
func (n *notif) memory(at, size uint64) []byte {
	if size == 0 {
		return nil
	}
	data := make([]byte, size)
	local := []unix.Iovec{{Base: &data[0], Len: size}}
	// In two parts, so that what comes before the end of a page is read.
	first := min(size, pageSize-at%pageSize)
	remote := []unix.RemoteIovec{{Base: uintptr(at), Len: int(first)}, {Base: uintptr(at + first), Len: int(size - first)}}
	got, err := unix.ProcessVMReadv(int(n.tid), local, remote, 0)
	if err != nil {
		return nil
	}
	return data[:got]
}

const pageSize = 4096 // or a multiple of it

// path is the text that an argument points to.
func (n *notif) path(arg int) string {
	text, _, _ := bytes.Cut(n.memory(n.args[arg], 256), []byte{0})
	return string(text)
}

// file is the path of the file that an argument is the descriptor of, or what
// the kernel calls a file without one: "socket:[1234]".
func (n *notif) file(arg int) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", n.tid, int32(n.args[arg])))
	return path
}

// process is the process that the calling thread is of.
func (w *watch) process(n *notif) int {
	if pid, ok := w.processes[n.tid]; ok {
		return pid
	}
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.tid))
	_, after, _ := bytes.Cut(status, []byte("\nTgid:"))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	pid, _ := strconv.Atoi(string(bytes.TrimSpace(line)))
	w.processes[n.tid] = pid
	return pid
}

func digest(data []byte) string {
	h := fnv.New64a()
	h.Write(data)
	return strconv.FormatUint(h.Sum64(), 16)
}
