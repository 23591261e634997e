package owned

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// mostLinks is how many symbolic links a way may have (MAXSYMLINKS,
// include/linux/namei.h).
const mostLinks = 40

// walk is a way that is walked: where it has come to, and the names that are left.
type walk struct {
	trust
	// strict: every directory and every file on the way must be root's or ours.
	// Otherwise that is asked of links alone, since whoever names a directory of
	// somebody else's means that one, and not what its owner makes of it.
	strict bool
	path   string // as it was asked for
	left   []string
	links  int
	linked bool // the last name is a symbolic link

	dir   *os.File // the directory that entry is in; O_PATH
	in    unix.Stat_t
	base  string   // the entry's name there
	entry *os.File // O_PATH; nil: there is none of that name
	is    unix.Stat_t
	magic bool // it was come to by a link of /proc, such as /proc/self/fd/1
}

// walked goes to the end of a way. The last name need not be there.
func walked(path string, strict bool) (*walk, error) {
	if path == "" || strings.ContainsRune(path, 0) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrInvalid}
	}
	left := names(path)
	if !filepath.IsAbs(path) {
		dir, err := os.Getwd()
		if err != nil {
			return nil, fmt.Errorf("look where %s is: %w", path, err)
		}
		left = append(names(dir), left...) // not cleaned: LINK/.. is above where LINK leads
	}
	w := &walk{trust: ours(), strict: strict, path: path, left: left}
	if err := w.restart(); err != nil {
		return nil, err
	}
	for len(w.left) > 0 {
		if err := w.step(); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

func names(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// restart goes to the root directory.
func (w *walk) restart() error {
	fd, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: "/", Err: err}
	}
	return w.goTo(os.NewFile(uintptr(fd), "/"))
}

// goTo makes f the directory to go on from; it is the entry too, until there is a
// next one.
func (w *walk) goTo(f *os.File) error {
	if err := w.close(); err != nil {
		return errors.Join(err, f.Close())
	}
	w.dir, w.entry, w.base = f, f, "."
	if err := unix.Fstat(int(f.Fd()), &w.in); err != nil {
		return &fs.PathError{Op: "stat", Path: w.path, Err: err}
	}
	w.is = w.in
	if w.strict && !w.has(w.in.Uid) {
		return fmt.Errorf("%s is below a directory of user %d: %w", w.path, w.in.Uid, ErrUnsafe)
	}
	return nil
}

// step takes the next name.
func (w *walk) step() error {
	if w.entry == nil {
		return &fs.PathError{Op: "open", Path: w.path, Err: fs.ErrNotExist}
	}
	if w.entry != w.dir { // the name before was an ordinary one
		if !is(w.is, unix.S_IFDIR) {
			return &fs.PathError{Op: "open", Path: w.path, Err: unix.ENOTDIR}
		}
		f := w.entry
		w.entry = nil
		if err := w.goTo(f); err != nil {
			return err
		}
	}
	name := w.left[0]
	w.left = w.left[1:]
	if name == "." {
		return nil
	}
	fd, err := unix.Openat(int(w.dir.Fd()), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		w.base, w.entry, w.is, w.magic = name, nil, unix.Stat_t{}, false
		return w.allowed(name)
	}
	if err != nil {
		return &fs.PathError{Op: "open", Path: w.path, Err: err}
	}
	f := os.NewFile(uintptr(fd), w.path)
	if name == ".." {
		return w.goTo(f)
	}
	w.base, w.entry, w.magic = name, f, false
	if err := unix.Fstat(fd, &w.is); err != nil {
		return &fs.PathError{Op: "stat", Path: w.path, Err: err}
	}
	if err := w.allowed(name); err != nil {
		return err
	}
	if is(w.is, unix.S_IFLNK) {
		return w.follow(name)
	}
	return nil
}

// allowed holds the entry to what the walk is for.
func (w *walk) allowed(name string) error {
	link := w.entry != nil && is(w.is, unix.S_IFLNK)
	if (w.strict || link) && w.entry != nil && !w.has(w.is.Uid) {
		return fmt.Errorf("%s: %q on the way to it belongs to user %d: %w", w.path, name, w.is.Uid, ErrUnsafe)
	}
	if w.strict && open(w.in) && !sticky(w.in) {
		return fmt.Errorf("%s: the directory of %q has mode %04o: %w", w.path, name, w.in.Mode&0o7777, ErrUnsafe)
	}
	return nil
}

// follow goes where the entry, a symbolic link, leads to.
func (w *walk) follow(name string) error {
	w.linked = len(w.left) == 0
	if w.links++; w.links > mostLinks {
		return &fs.PathError{Op: "open", Path: w.path, Err: unix.ELOOP}
	}
	var on unix.Statfs_t
	if err := unix.Fstatfs(int(w.entry.Fd()), &on); err != nil {
		return &fs.PathError{Op: "statfs", Path: w.path, Err: err}
	}
	// Below a process's directory in /proc, links lead to what they stand for, and
	// what they read as need not be a path.
	const procRoot = 1 // PROC_ROOT_INO, include/linux/proc_ns.h
	if on.Type == unix.PROC_SUPER_MAGIC && w.in.Ino != procRoot {
		return w.jump(name)
	}
	text := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(w.entry.Fd()), "", text)
	if err != nil {
		return &fs.PathError{Op: "readlink", Path: w.path, Err: err}
	}
	target := string(text[:n])
	err = w.entry.Close()
	w.entry = nil
	if err != nil {
		return err
	}
	w.left = append(names(target), w.left...)
	if filepath.IsAbs(target) {
		return w.restart()
	}
	w.entry, w.is, w.base = w.dir, w.in, "."
	return nil
}

// jump goes through a link of /proc.
func (w *walk) jump(name string) error {
	err := w.entry.Close()
	w.entry = nil
	if err != nil {
		return err
	}
	fd, err := unix.Openat(int(w.dir.Fd()), name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: w.path, Err: err}
	}
	w.entry, w.magic = os.NewFile(uintptr(fd), w.path), true
	if err := unix.Fstat(fd, &w.is); err != nil {
		return &fs.PathError{Op: "stat", Path: w.path, Err: err}
	}
	return nil
}

// close closes what is open. Nothing is written through it, so nothing is lost.
func (w *walk) close() error {
	var errs []error
	if w.entry != nil && w.entry != w.dir {
		errs = append(errs, w.entry.Close())
	}
	if w.dir != nil {
		errs = append(errs, w.dir.Close())
	}
	w.dir, w.entry = nil, nil
	return errors.Join(errs...)
}
