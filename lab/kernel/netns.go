package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// AddNetns makes a network namespace and gives it a name, as `ip netns add`
// does: a new namespace, bind-mounted on a file in NetnsDir. A name that is
// taken is an error that wraps fs.ErrExist, and nothing is changed. The calling
// thread stays where it is.
func (k *Kernel) AddNetns(name string) error {
	if err := shareNetnsDir(); err != nil {
		return err
	}
	return onOwnThread(func() error { return k.addNetns(name) })
}

// AddManyNetns is AddNetns for names in their order, two at a time: the kernel takes
// half a millisecond for each. It returns how many were made, which are the first
// ones, and why not the next; none after that is left. It goes on only while more
// returns nil.
func (k *Kernel) AddManyNetns(names []string, more func() error) (n int, err error) {
	if err := shareNetnsDir(); err != nil {
		return 0, err
	}
	const together = 2
	made := make([]bool, len(names))
	why := make([]error, len(names))
	var next atomic.Int64
	var failed atomic.Bool
	work := func() error {
		for i := next.Add(1) - 1; i < int64(len(names)) && !failed.Load(); i = next.Add(1) - 1 {
			if why[i] = more(); why[i] == nil {
				why[i] = k.addNetns(names[i])
			}
			made[i] = why[i] == nil
			if !made[i] {
				failed.Store(true)
			}
		}
		return nil
	}
	var all sync.WaitGroup
	for range together {
		all.Go(func() { _ = onOwnThread(work) }) // why has its errors
	}
	all.Wait()
	n = slices.Index(made, false)
	if n < 0 {
		return len(names), nil
	}
	err = why[n]
	for i := n + 1; i < len(names); i++ { // which another thread had begun
		if made[i] {
			err = errors.Join(err, k.DelNetns(names[i]))
		}
	}
	return n, err
}

// addNetns makes one on the calling thread, which is left in it.
func (k *Kernel) addNetns(name string) error {
	if err := checkNetnsName(name); err != nil {
		return err
	}
	path := namespacePath(name)
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE|os.O_EXCL|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("name network namespace %q: %w", name, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("name network namespace %q: %w", name, err)
	}
	err = func() error {
		made, err := netns.New() // and the thread is in it
		if err != nil {
			return fmt.Errorf("make a network namespace: %w", err)
		}
		defer made.Close()
		if err := unix.Mount("/proc/thread-self/ns/net", path, "none", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount network namespace %q: %w", name, err)
		}
		return nil
	}()
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	if k.roomForMore() {
		_ = k.openHere(name) // else it is opened when it is asked for
	}
	return nil
}

// DelNetns takes a namespace's name away, as `ip netns del` does. The kernel
// drops the namespace itself, with all that is in it, a little later. A name
// that is not there is an error that wraps fs.ErrNotExist.
func (k *Kernel) DelNetns(name string) error {
	if err := checkNetnsName(name); err != nil {
		return err
	}
	k.Forget(name)
	path := namespacePath(name)
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("unmount network namespace %q: %w", name, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove the name of network namespace %q: %w", name, err)
	}
	return nil
}

// NetnsExists tells whether the name is taken in NetnsDir, be it by a namespace
// or by a file that a stopped `ip netns add` left.
func (k *Kernel) NetnsExists(name string) (bool, error) {
	_, err := os.Lstat(namespacePath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for network namespace %q: %w", name, err)
	}
	return true, nil
}

// NetnsNames lists the names in NetnsDir on the machine whose directories stand
// below root, "/" for this one; none where they can't be read.
func NetnsNames(root string) []string {
	entries, err := os.ReadDir(filepath.Join(root, NetnsDir))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// shareNetnsDir makes NetnsDir a shared mount, as `ip netns add` does, so that a
// name removed in one mount namespace does not live on in another.
func shareNetnsDir() error {
	if err := os.MkdirAll(NetnsDir, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", NetnsDir, err)
	}
	err := unix.Mount("", NetnsDir, "none", unix.MS_SHARED|unix.MS_REC, "")
	if errors.Is(err, unix.EINVAL) { // not a mount point yet
		err = unix.Mount(NetnsDir, NetnsDir, "none", unix.MS_BIND|unix.MS_REC, "")
		if err == nil {
			err = unix.Mount("", NetnsDir, "none", unix.MS_SHARED|unix.MS_REC, "")
		}
	}
	if err != nil {
		return fmt.Errorf("share %s: %w", NetnsDir, err)
	}
	return nil
}

// checkNetnsName keeps to the files in NetnsDir what is opened, made and removed there.
func checkNetnsName(name string) error {
	odd := func(r rune) bool { return r == '/' || r == utf8.RuneError || unicode.IsControl(r) }
	if _, pid := pidOf(name); pid || name == Host || name == "." || name == ".." || strings.ContainsFunc(name, odd) {
		return fmt.Errorf("%q is no name for a network namespace", name)
	}
	return nil
}
