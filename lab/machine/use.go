package machine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"netlab/lab/journal"
)

// LabsDir is where the journals of the labs on this machine stand. A sandbox
// has a /run, and so a directory, of its own.
const LabsDir = "/run/netlab/labs"

// usePath is a file in a sandbox's own /run. Each netlab that came in by the door
// holds a shared lock on it; whoever has it alone knows that nobody is inside.
const usePath = "/run/netlab/use"

// overMark is what stands in that file when the holder has made up its mind to end.
const overMark = "over"

// ErrOver: the sandbox ended while this netlab was on its way in.
var ErrOver = errors.New("the sandbox has just ended: try again")

// occupy keeps the holder from ending for as long as this process lives, or until
// it becomes another program.
func occupy() error {
	fd, err := unix.Open(usePath, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if errors.Is(err, unix.ENOENT) { // of an older netlab, whose holder never ends by itself
		return nil
	}
	if err != nil {
		return fmt.Errorf("enter the sandbox: %w", err)
	}
	if err := lockFile(fd, unix.LOCK_SH); err != nil {
		return fmt.Errorf("enter the sandbox: %w", err)
	}
	mark := make([]byte, len(overMark))
	if n, _ := unix.Pread(fd, mark, 0); n > 0 {
		return ErrOver
	}
	return nil // fd stays open, and the lock with it
}

// Stay keeps the sandbox that this process is in from ending while the process lives,
// also when the last lab in it goes: for a netlab that was run by a shell in there,
// and makes another one. ErrOver says that it has ended. Elsewhere it does nothing.
func Stay() error {
	if _, inside, err := Here(); err != nil || !inside {
		return err
	}
	return occupy()
}

func lockFile(fd, how int) error {
	for {
		if err := unix.Flock(fd, how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// inUse is how a holder knows when its sandbox has been used for the last time.
type inUse struct {
	use  *os.File
	labs int // an inotify(7) of LabsDir
}

// watchUse begins to watch, before anybody is let in.
func watchUse() (*inUse, error) {
	if err := os.MkdirAll(LabsDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	labs, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("watch the labs: %w", err)
	}
	if _, err := unix.InotifyAddWatch(labs, LabsDir, unix.IN_DELETE|unix.IN_MOVED_FROM); err != nil {
		return nil, errors.Join(fmt.Errorf("watch the labs: %w", err), unix.Close(labs))
	}
	use, err := os.OpenFile(filepath.Clean(usePath), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watch who is inside: %w", err), unix.Close(labs))
	}
	return &inUse{use, labs}, nil
}

// last returns when there is no lab in the sandbox and no netlab that could be
// making one: neither the one that started it, nor one that came in. From then on
// nobody is let in.
func (u *inUse) last(starter io.ReadCloser) error {
	// It says no more; the end of what it has to say is its own.
	_, err := io.Copy(io.Discard, starter)
	if errors.Is(err, unix.ECONNRESET) {
		err = nil
	}
	if err = errors.Join(err, starter.Close()); err != nil {
		return fmt.Errorf("wait for who started the sandbox: %w", err)
	}
	for {
		if err := lockFile(int(u.use.Fd()), unix.LOCK_EX); err != nil {
			return fmt.Errorf("wait until nobody is inside: %w", err)
		}
		if labs, err := journal.At(LabsDir).Labs(); err == nil && len(labs) == 0 {
			_, err := u.use.WriteAt([]byte(overMark), 0)
			return err
		}
		if err := lockFile(int(u.use.Fd()), unix.LOCK_UN); err != nil {
			return err
		}
		if err := u.awaitRemoval(); err != nil {
			return err
		}
	}
}

// awaitRemoval waits until a file of LabsDir that could be a journal goes.
func (u *inUse) awaitRemoval() error {
	events := make([]byte, 16<<10)
	for {
		n, err := unix.Read(u.labs, events)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("watch the labs: %w", err)
		}
		if removed(events[:n]) {
			return nil
		}
	}
}

// removed tells whether one of these inotify events is of a name that does not
// begin with a dot, as passing ones do, or whether events were lost.
func removed(events []byte) bool {
	for len(events) >= unix.SizeofInotifyEvent {
		mask := binary.NativeEndian.Uint32(events[4:])
		size := int(binary.NativeEndian.Uint32(events[12:]))
		events = events[unix.SizeofInotifyEvent:]
		if size > len(events) || mask&unix.IN_Q_OVERFLOW != 0 {
			return true
		}
		if name := bytes.TrimRight(events[:size], "\x00"); len(name) > 0 && name[0] != '.' {
			return true
		}
		events = events[size:]
	}
	return false
}
