package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrBusy: another netlab is at work on the same lab.
var ErrBusy = errors.New("in use by another netlab")

// BusyError is an ErrBusy that says of which lab, and who is at work.
type BusyError struct {
	Lab string
	PID string // as the other has signed; empty before it has
}

func (e *BusyError) Error() string { return fmt.Sprintf("lab %s, pid %s: %v", e.Lab, e.PID, ErrBusy) }
func (e *BusyError) Unwrap() error { return ErrBusy }

// Lock is a lock on a file (flock(2)); the kernel drops it with the process.
type Lock struct {
	file *os.File
}

// dying is how long a process that was killed may take to be gone.
const dying = 250 * time.Millisecond

// Lock takes a lab's lock: whoever changes the lab holds it. When another
// process has it, the error is a *BusyError, after a moment: one that was killed
// keeps its locks until the kernel has closed its packet sockets, some 20 ms
// (facts.md, section 9).
func (d Dir) Lock(lab string) (*Lock, error) {
	if err := checkName(lab); err != nil {
		return nil, err
	}
	l, err := d.open("." + lab + ".lock")
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(dying); ; time.Sleep(dying / 50) {
		err = flock(l.file, unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(deadline) {
			break
		}
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		holder := make([]byte, 32)
		n, _ := l.file.ReadAt(holder, 0)
		pid, _, _ := strings.Cut(string(holder[:n]), "\n")
		return nil, errors.Join(&BusyError{Lab: lab, PID: pid}, l.file.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock lab %s: %w", lab, err), l.file.Close())
	}
	if _, err := l.file.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0); err != nil {
		return nil, errors.Join(fmt.Errorf("sign the lock of lab %s: %w", lab, err), l.file.Close())
	}
	return l, nil
}

// LockShared waits for the lock over what several labs share. It is held for
// the moment of one op only.
func (d Dir) LockShared() (*Lock, error) {
	l, err := d.open(".shared") // no lab's lock, which ends in .lock
	if err != nil {
		return nil, err
	}
	if err := flock(l.file, unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock what labs share: %w", err), l.file.Close())
	}
	return l, nil
}

// flock is flock(2), begun again when a signal comes in between.
func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func (d Dir) open(name string) (*Lock, error) {
	if err := d.make(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(d.path, name), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open a lock: %w", err)
	}
	return &Lock{file: f}, nil
}

// Release gives the lock up. The file stays: removing it would let two
// processes lock two files of one name.
func (l *Lock) Release() error { return l.file.Close() }
