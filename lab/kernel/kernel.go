// Package kernel is netlab's only way into the kernel: network namespaces and
// the netlink handles bound to them, threads that visit a namespace, sysctl
// files and firewalls.
//
// A namespace is named as `ip netns` names it; the empty name is the host: the
// network namespace that the process was started in; "pid:N" is that of a process.
package kernel

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// Host is the name of the host's own network namespace.
const Host = ""

// NetnsDir is where `ip netns` keeps named namespaces (iproute2, ip-netns(8)).
const NetnsDir = "/run/netns"

// Kernel hands out the namespaces of one machine. It is safe for use by
// several goroutines. The zero value is not usable; call Open.
type Kernel struct {
	mu       sync.Mutex
	spaces   map[string]*Namespace
	firewall Firewall
	kept     map[any]io.Closer
	visitors visitors
	procs    procMounts
	pause    pause
	most     int // how many namespaces may stay open; see Lend
}

// Open returns a Kernel whose host is the calling process's network namespace.
// It opens nothing yet.
func Open() *Kernel {
	return &Kernel{spaces: map[string]*Namespace{}, most: mostOpen()}
}

// Close closes every namespace that k has handed out, and the firewall.
func (k *Kernel) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	errs := []error{k.firewall.close()}
	for key, c := range k.kept {
		errs = append(errs, c.Close())
		delete(k.kept, key)
	}
	for name, n := range k.spaces {
		errs = append(errs, n.close())
		delete(k.spaces, name)
	}
	k.visitors.close()
	k.procs.close()
	return errors.Join(errs...)
}

// Namespace returns the namespace of that name, opened once and kept. When the
// name has come to mean another namespace since, the new one is opened. An
// unknown name is an error that wraps fs.ErrNotExist, as the kernel's own ENOENT.
func (k *Kernel) Namespace(name string) (*Namespace, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := k.spaces[name]; n != nil {
		epoch := k.pause.epoch[nameKind].Load()
		if k.pause.fresh(nameKind, n.named) || n.current() {
			n.named = epoch
			return n, nil
		}
		delete(k.spaces, name)
		_ = n.close() // it holds a namespace that has lost its name
	}
	n, err := k.openNamespace(name)
	if err != nil {
		return nil, err
	}
	k.spaces[name] = n
	return n, nil
}

// Keep returns what open makes, made once for that key and closed with k: what
// others need again and again, and takes long to open or to close.
func (k *Kernel) Keep(key any, open func() io.Closer) io.Closer {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c, ok := k.kept[key]; ok {
		return c
	}
	if k.kept == nil {
		k.kept = map[any]io.Closer{}
	}
	c := open()
	k.kept[key] = c
	return c
}

// Forget closes the namespace of that name if it is open, so that the kernel
// can let go of it once its name is removed.
func (k *Kernel) Forget(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := k.spaces[name]; n != nil {
		delete(k.spaces, name)
		_ = n.close()
	}
}

func namespacePath(name string) string {
	if name == Host {
		return "/proc/self/ns/net"
	}
	if pid, ok := pidOf(name); ok {
		return "/proc/" + strconv.Itoa(pid) + "/ns/net"
	}
	return NetnsDir + "/" + name
}

// openHere opens the namespace of that name, which is the one the calling thread is in.
func (k *Kernel) openHere(name string) error {
	n, err := k.openFile(name)
	if err != nil {
		return err
	}
	if err := n.handleHere(); err != nil {
		return errors.Join(err, n.file.Close())
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.spaces[name] != nil {
		return n.close()
	}
	k.spaces[name] = n
	return nil
}

func (k *Kernel) openNamespace(name string) (*Namespace, error) {
	n, err := k.openFile(name)
	if err != nil {
		return nil, err
	}
	if err := n.openHandle(); err != nil {
		return nil, errors.Join(err, n.file.Close())
	}
	return n, nil
}

// openFile opens all but the handle.
func (k *Kernel) openFile(name string) (*Namespace, error) {
	if _, pid := pidOf(name); !pid && name != Host && checkNetnsName(name) != nil {
		return nil, fmt.Errorf("no network namespace %q: %w", name, unix.ENOENT)
	}
	f, err := os.OpenFile(namespacePath(name), os.O_RDONLY|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no network namespace %q: %w", name, unix.ENOENT)
	}
	if err != nil {
		return nil, fmt.Errorf("open network namespace %q: %w", name, err)
	}
	var where unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &where); err != nil || where.Type != unix.NSFS_MAGIC {
		return nil, errors.Join(
			fmt.Errorf("%s holds no network namespace: %w", namespacePath(name), fs.ErrNotExist), f.Close())
	}
	n := &Namespace{Name: name, file: f, visitors: &k.visitors, procs: &k.procs, pause: &k.pause}
	n.firewall.space = n
	return n, nil
}
