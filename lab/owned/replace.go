package owned

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Read reads a plain file that was named, by the way that Append would take. One
// that is missing wraps fs.ErrNotExist.
func Read(path string) (data []byte, err error) {
	w, err := walked(path, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	switch {
	case w.entry == nil:
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	case !is(w.is, unix.S_IFREG):
		return nil, fmt.Errorf("%s is no plain file: %w", path, ErrUnsafe)
	}
	if err := w.appendable(); err != nil {
		return nil, err
	}
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", w.entry.Fd()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(f)
}

// OpenDir opens a directory that was named, such as to lock it.
func OpenDir(path string) (dir *os.File, err error) {
	w, err := walked(path, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if w.entry == nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", w.entry.Fd()), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// MakeDirs makes a directory and those above it that are missing, each for its
// owner alone, who is the owner of the one that it is made in.
func MakeDirs(path string) error {
	w, err := walked(path, false)
	if errors.Is(err, fs.ErrNotExist) {
		if err = MakeDirs(above(path)); err != nil {
			return err
		}
		w, err = walked(path, false)
	}
	if err != nil {
		return err
	}
	if w.entry != nil {
		if !is(w.is, unix.S_IFDIR) {
			err = &fs.PathError{Op: "mkdir", Path: path, Err: unix.ENOTDIR}
		}
		return errors.Join(err, w.close())
	}
	err = unix.Mkdirat(int(w.dir.Fd()), w.base, 0o700)
	switch {
	case errors.Is(err, unix.EEXIST): // made meanwhile
		err = nil
	case err == nil && w.givesAway():
		err = unix.Fchownat(int(w.dir.Fd()), w.base, int(w.in.Uid), int(w.in.Gid), unix.AT_SYMLINK_NOFOLLOW)
	}
	if err != nil {
		err = &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return errors.Join(err, w.close())
}

// above is the way to a directory, less its last name; links are left to the walk.
func above(path string) string {
	last := len(path)
	for last > 1 && path[last-1] == '/' {
		last--
	}
	for last > 0 && path[last-1] != '/' {
		last--
	}
	if last == 0 {
		return "."
	}
	return path[:last]
}

// givesAway: root, at work in a directory of somebody else's, such as the home of
// the user who called sudo, leaves there what that user can use.
func (w *walk) givesAway() bool {
	return w.euid == 0 && w.in.Uid != 0 && !(w.hidden && w.in.Uid == overflow)
}

// Replace puts a new file in the place of the one of that name, or of none: at any
// time it is the one or the other, whole.
func Replace(path string, data []byte, perm fs.FileMode) (err error) {
	w, err := walked(path, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if w.entry != nil {
		if err := w.appendable(); err != nil {
			return err
		}
		if !is(w.is, unix.S_IFREG) {
			return fmt.Errorf("%s is no plain file: %w", path, ErrUnsafe)
		}
	}
	dir := int(w.dir.Fd())
	// One name for each process: of a run that was killed, one file stays at most.
	temp := fmt.Sprintf(".%s.%d", w.base, os.Getpid())
	_ = unix.Unlinkat(dir, temp, 0)
	fd, err := unix.Openat(dir, temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, uint32(perm.Perm()))
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err == nil && w.givesAway() {
		err = f.Chown(int(w.in.Uid), int(w.in.Gid))
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = unix.Renameat(dir, temp, dir, w.base)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("replace %s: %w", path, err), unix.Unlinkat(dir, temp, 0))
	}
	return nil
}
