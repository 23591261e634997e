// Package owned opens files by ways that no other user could have bent: root may
// be asked to write in somebody's home, and what root keeps or runs must stand
// where root alone can put it.
//
// A way is walked name by name, each from the directory that was open before, so
// that what was looked at is what is used, whatever is renamed meanwhile.
package owned

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// ErrUnsafe: another user could have put something else in the place of what was
// asked for.
var ErrUnsafe = errors.New("another user could have changed where this leads")

// overflow is the uid that files show whose owner has none in this user namespace
// (/proc/sys/kernel/overflowuid, user_namespaces(7)).
const overflow = 65534

// trust is whose files are as good as our own: root's, and ours.
type trust struct {
	euid int
	// hidden: root of the machine has no uid here, as in a sandbox of an ordinary
	// user. Its files can't be told from those of others then; but neither can
	// anything be done there that the user could not do.
	hidden bool
}

func ours() trust { return trust{euid: os.Geteuid(), hidden: rootHidden()} }

// rootHidden tells whether the machine's root has no uid in our user namespace, which
// neither changes while a process lives.
var rootHidden = sync.OnceValue(func() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && !mapsRoot(string(text)) || ofNobody(rootsFile)
})

// rootsFile is a file of the machine's root, whoever looks (proc_sys_make_inode,
// fs/proc/proc_sysctl.c). A uid_map goes no further than to the namespace around this
// one: in a sandbox within a user's sandbox, that one's root looks like the machine's.
const rootsFile = "/proc/sys/kernel/overflowuid"

// ofNobody tells whether a file's owner has no uid here.
func ofNobody(path string) bool {
	var st unix.Stat_t
	return unix.Stat(path, &st) == nil && st.Uid == overflow
}

// mapsRoot tells whether a uid_map gives the uid 0 outside a uid inside. Each line
// is a first uid inside, the first outside, and how many (user_namespaces(7)).
func mapsRoot(text string) bool {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		outside, err := strconv.ParseUint(f[1], 10, 32)
		if count, countErr := strconv.ParseUint(f[2], 10, 32); err == nil && countErr == nil && outside == 0 && count > 0 {
			return true
		}
	}
	return false
}

func (t trust) has(uid uint32) bool {
	return uid == 0 || int(uid) == t.euid || t.hidden && uid == overflow
}

// open tells whether others than the owner may write to it.
func open(st unix.Stat_t) bool { return st.Mode&0o022 != 0 }

// sticky tells whether it is a directory as /tmp is: everybody may add to it, and
// only owners take away (inode(7)).
func sticky(st unix.Stat_t) bool { return st.Mode&unix.S_ISVTX != 0 }

func is(st unix.Stat_t, kind uint32) bool { return st.Mode&unix.S_IFMT == kind }

// Dir holds a directory, and each that leads to it, to this: it is root's or ours,
// and nobody else may change what is in it. It must not be a symbolic link. One that is missing wraps
// fs.ErrNotExist, one that may not be looked at fs.ErrPermission, and one that is
// not safe ErrUnsafe.
func Dir(path string) (err error) {
	w, err := walked(path, true)
	if errors.Is(err, unix.ENOTDIR) {
		return fmt.Errorf("%s: what it would be in is no directory: %w", path, ErrUnsafe)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	switch {
	case w.entry == nil:
		return &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	case w.linked, !is(w.is, unix.S_IFDIR):
		return fmt.Errorf("%s is no directory of its own: %w", path, ErrUnsafe)
	case open(w.is):
		return fmt.Errorf("%s has mode %04o: %w", path, w.is.Mode&0o7777, ErrUnsafe)
	}
	return nil
}

// Program holds a program that is to be run as we are to the same. It is not
// searched for.
func Program(path string) (err error) {
	w, err := walked(path, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	switch {
	case w.entry == nil:
		return &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	case !is(w.is, unix.S_IFREG):
		return fmt.Errorf("%s is no plain file: %w", path, ErrUnsafe)
	case open(w.is):
		return fmt.Errorf("%s has mode %04o: %w", path, w.is.Mode&0o7777, ErrUnsafe)
	case w.is.Mode&0o111 == 0:
		return &fs.PathError{Op: "run", Path: path, Err: fs.ErrPermission}
	}
	return nil
}

// Plain holds an open file to be a plain one, root's or ours, that nobody else may
// write to.
func Plain(f *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return fmt.Errorf("look at %s: %w", f.Name(), err)
	}
	switch {
	case !is(st, unix.S_IFREG):
		return fmt.Errorf("%s is no plain file: %w", f.Name(), ErrUnsafe)
	case !ours().has(st.Uid):
		return fmt.Errorf("%s belongs to user %d: %w", f.Name(), st.Uid, ErrUnsafe)
	case open(st):
		return fmt.Errorf("%s has mode %04o: %w", f.Name(), st.Mode&0o7777, ErrUnsafe)
	}
	return nil
}
