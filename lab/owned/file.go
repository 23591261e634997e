package owned

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// File is a file that somebody named for netlab to write, anywhere.
type File struct {
	*os.File
	// New: it was not there before.
	New bool

	dir  *os.File // O_PATH
	base string
}

// createTries is how often a file may come and go between two looks.
const createTries = 100

// Append opens a file to be read, and written at its end, and makes it where there
// is none. It goes through symbolic links of ours and of root's alone, and takes
// no file of another user's from a directory like /tmp, and none that has a second
// name: it may be one that the user could not write. The error wraps ErrUnsafe then.
func Append(path string, perm fs.FileMode) (*File, error) {
	for range createTries {
		w, err := walked(path, false)
		if err != nil {
			return nil, err
		}
		f, err := w.append(perm)
		if err == nil {
			return f, nil
		}
		if err = errors.Join(err, w.close()); !errors.Is(err, fs.ErrExist) { // made meanwhile
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s comes and goes", path)
}

func (w *walk) append(perm fs.FileMode) (*File, error) {
	const how = unix.O_APPEND | unix.O_CLOEXEC | unix.O_NOCTTY
	if w.entry == nil {
		fd, err := unix.Openat(int(w.dir.Fd()), w.base, how|unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, uint32(perm.Perm()))
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: w.path, Err: err}
		}
		return &File{File: os.NewFile(uintptr(fd), w.path), New: true, dir: w.dir, base: w.base}, nil
	}
	mode := unix.O_RDWR
	if !is(w.is, unix.S_IFREG) {
		mode = unix.O_WRONLY // a pipe or a terminal
	}
	if err := w.appendable(); err != nil {
		return nil, err
	}
	// The very file that was looked at.
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", w.entry.Fd()), how|mode, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: w.path, Err: err}
	}
	f := &File{File: os.NewFile(uintptr(fd), w.path), dir: w.dir, base: w.base}
	if err := w.entry.Close(); err != nil {
		return nil, errors.Join(err, f.File.Close())
	}
	w.entry = nil
	return f, nil
}

// appendable tells whether a file that is there may be written to.
func (w *walk) appendable() error {
	switch {
	case is(w.is, unix.S_IFDIR):
		return &fs.PathError{Op: "open", Path: w.path, Err: unix.EISDIR}
	case w.magic, w.has(w.is.Uid) && w.is.Nlink <= 1:
		return nil
	case !is(w.is, unix.S_IFREG):
		if w.has(w.is.Uid) {
			return nil
		}
		return fmt.Errorf("%s is no plain file, and user %d's: %w", w.path, w.is.Uid, ErrUnsafe)
	case w.is.Nlink > 1 && (!w.has(w.in.Uid) || open(w.in)):
		return fmt.Errorf("%s has another name elsewhere, and stands where others may make names: %w", w.path, ErrUnsafe)
	case !w.has(w.is.Uid) && open(w.in):
		return fmt.Errorf("%s belongs to user %d, and stands where everybody may put files: %w", w.path, w.is.Uid, ErrUnsafe)
	}
	return nil
}

// Remove takes the file's name away again, unless it is another file's by now, and
// closes it.
func (f *File) Remove() error {
	var here, there unix.Stat_t
	err := unix.Fstat(int(f.Fd()), &here)
	if err == nil {
		err = unix.Fstatat(int(f.dir.Fd()), f.base, &there, unix.AT_SYMLINK_NOFOLLOW)
	}
	if err == nil && here.Dev == there.Dev && here.Ino == there.Ino {
		err = unix.Unlinkat(int(f.dir.Fd()), f.base, 0)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("remove %s: %w", f.Name(), err)
	}
	return errors.Join(err, f.Close())
}

// Close closes the file.
func (f *File) Close() error { return errors.Join(f.File.Close(), f.dir.Close()) }
