package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// PidPrefix begins the name of a namespace that is known by a process in it only:
// "pid:N", whose file is /proc/N/ns/net. A container's most often is.
const PidPrefix = "pid:"

// pidOf is the process of a name that begins with PidPrefix.
func pidOf(name string) (int, bool) {
	number, ok := strings.CutPrefix(name, PidPrefix)
	if !ok {
		return 0, false
	}
	pid, err := strconv.Atoi(number)
	return pid, err == nil && pid > 0
}

// Called is the name that a namespace should be shown by: Host for the host's
// own, else the first that it has in NetnsDir, else the one it was opened by.
func (k *Kernel) Called(n *Namespace) string {
	if n.Name == Host {
		return Host
	}
	if _, ok := pidOf(n.Name); !ok {
		return n.Name
	}
	var held unix.Stat_t
	if unix.Fstat(int(n.file.Fd()), &held) != nil {
		return n.Name
	}
	for _, name := range append([]string{Host}, NetnsNames("/")...) {
		if id, ok := inode(namespacePath(name)); ok && id == (nsInode{held.Dev, held.Ino}) {
			return name
		}
	}
	return n.Name
}

// Across returns the namespace that n knows by that number, which is what a link
// says of its peer (IFLA_LINK_NETNSID). It is looked for among those that are
// open, those with a name, and those of the processes that can be seen, in this
// order: no number is given out by asking (RTM_GETNSID). One that is none of
// these, or that this process may not enter, is an error that wraps
// fs.ErrNotExist. It costs about 10 µs for each namespace that is tried, and what
// was found of all is remembered.
func (k *Kernel) Across(n *Namespace, id int) (*Namespace, error) {
	nowhere := fmt.Errorf("no name and no process for the namespace that %s knows by %d: %w", n, id, fs.ErrNotExist)
	name, ok, err := k.NamedAcross(n, id)
	if err != nil {
		return nil, err
	}
	if ok {
		found, err := k.Namespace(name)
		if errors.Is(err, fs.ErrPermission) {
			return nil, nowhere
		}
		return found, err
	}
	tried := map[nsInode]bool{}
	for _, name := range append([]string{Host}, NetnsNames("/")...) {
		if ino, ok := inode(namespacePath(name)); ok {
			tried[ino] = true
		}
	}
	pids, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	for _, p := range pids {
		name := PidPrefix + p.Name()
		if _, ok := pidOf(name); !ok {
			continue
		}
		ino, ok := inode(namespacePath(name))
		if !ok || tried[ino] {
			continue
		}
		tried[ino] = true
		if known, ok, err := n.number(namespacePath(name)); err != nil {
			return nil, err
		} else if !ok || known != id {
			continue
		}
		found, err := k.Namespace(name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err != nil {
			return nil, err
		}
		// The process may have ended, and its number be another's, or it may have
		// moved on: what is open must still be what was looked for.
		if got, err := n.numberOf(found.Fd(), name); err != nil {
			return nil, err
		} else if got == id {
			return found, nil
		}
	}
	return nil, nowhere
}

// openAcross is NamedAcross of those that are open.
func (k *Kernel) openAcross(n *Namespace, id int) (string, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n.numbers == nil {
		n.numbers = map[int]string{}
	}
	if host := k.spaces[Host]; host != nil { // most often
		got, err := n.numberOf(host.Fd(), Host)
		if err != nil {
			return "", false, err
		}
		if got == id {
			n.numbers[id] = Host
			return Host, true, nil
		}
	}
	known := map[int][]string{}
	for name, other := range k.spaces {
		got, err := n.numberOf(other.Fd(), name)
		if err != nil {
			return "", false, err
		}
		if got >= 0 {
			known[got] = append(known[got], name)
		}
	}
	if len(known[id]) == 0 {
		return "", false, nil
	}
	for number, names := range known {
		n.numbers[number] = best(names)
	}
	return n.numbers[id], true, nil
}

// best is the one to call a namespace by of the names that it is open by: that of a
// process comes last.
func best(names []string) string {
	slices.SortFunc(names, func(a, b string) int {
		_, aPid := pidOf(a)
		_, bPid := pidOf(b)
		switch {
		case aPid && !bPid:
			return 1
		case bPid && !aPid:
			return -1
		}
		return strings.Compare(a, b)
	})
	return names[0]
}

// NamedAcross is the name of the namespace that Across returns, where it is open or has
// one in NetnsDir. It opens none for longer than to ask.
func (k *Kernel) NamedAcross(n *Namespace, id int) (name string, ok bool, err error) {
	if name, ok, err := k.remembered(n, id); ok || err != nil {
		return name, ok, err
	}
	if name, ok, err := k.openAcross(n, id); ok || err != nil {
		return name, ok, err
	}
	numbers := map[int]string{}
	for _, name := range append([]string{Host}, NetnsNames("/")...) {
		known, ok, err := n.number(namespacePath(name))
		if err != nil {
			return "", false, err
		}
		if ok && numbers[known] == "" {
			numbers[known] = name
		}
	}
	k.mu.Lock()
	n.numbers = numbers
	k.mu.Unlock()
	return k.remembered(n, id)
}

// remembered is the name that was found for the number, if it is that still.
func (k *Kernel) remembered(n *Namespace, id int) (string, bool, error) {
	k.mu.Lock()
	name, ok := n.numbers[id]
	k.mu.Unlock()
	if !ok {
		return "", false, nil
	}
	known, ok, err := n.number(namespacePath(name))
	return name, ok && known == id, err
}

// number is what n has given to the namespace of the file. ok: it has, and the file
// is there and may be opened.
func (n *Namespace) number(path string) (id int, ok bool, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, false, nil
	}
	defer f.Close()
	id, err = n.numberOf(int(f.Fd()), path)
	return id, err == nil && id >= 0, err
}

// numberOf is what n has given to the namespace of the descriptor, negative for
// nothing. Whose that is, is said where it can't be read.
func (n *Namespace) numberOf(fd int, whose string) (int, error) {
	id, err := n.Netlink.GetNetNsIdByFd(fd)
	if err != nil {
		return 0, fmt.Errorf("ask by which number %s knows the namespace %q: %w", n, whose, err)
	}
	return id, nil
}

// nsInode tells one namespace from another while both live.
type nsInode struct{ dev, ino uint64 }

func inode(path string) (nsInode, bool) {
	var s unix.Stat_t
	if unix.Stat(path, &s) != nil {
		return nsInode{}, false
	}
	return nsInode{s.Dev, s.Ino}, true
}
