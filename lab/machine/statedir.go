package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"netlab/lab/owned"
)

// ErrUnsafeDir: netlab's state directory belongs to someone else, is open to
// others' writing, or is no directory. Nothing in it is believed.
var ErrUnsafeDir = errors.New("state directory is not safe")

// StateDir is where netlab keeps what it knows of running sandboxes: /run/netlab
// for root; for others netlab below $XDG_RUNTIME_DIR or /run/user/UID, where
// that is theirs alone, or else /tmp/netlab-UID. It makes nothing; a reboot
// clears each of these.
func StateDir() string {
	return stateDir(os.Geteuid(), os.Getenv("XDG_RUNTIME_DIR"), "/run", "/tmp")
}

func stateDir(euid int, xdg, run, tmp string) string {
	if euid == 0 {
		return filepath.Join(run, "netlab")
	}
	uid := strconv.Itoa(euid)
	// The second is for a shell that has lost its environment, as su leaves it:
	// it must find the same sandboxes.
	for _, dir := range []string{xdg, filepath.Join(run, "user", uid)} {
		if filepath.IsAbs(dir) && checkDir(dir, euid, 0o077) == nil {
			return filepath.Join(dir, "netlab")
		}
	}
	return filepath.Join(tmp, "netlab-"+uid)
}

// makeDir makes a directory for us alone, or accepts one that is.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make state directory: %w", err)
	}
	return checkDir(dir, os.Geteuid(), 0o022)
}

// checkDir holds a directory against its owner and the permission bits that it
// must not have, and each that leads to it against owned.Dir's. Once it has passed,
// nobody else can put another in its place. A missing one wraps fs.ErrNotExist.
func checkDir(dir string, owner int, forbidden uint32) error {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		return fmt.Errorf("%w: %s is no directory of its own", ErrUnsafeDir, dir)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: %s belongs to someone else", ErrUnsafeDir, dir)
	case err != nil:
		return fmt.Errorf("open %s: %w", dir, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("look at %s: %w", dir, err)
	}
	if int(st.Uid) != owner {
		return fmt.Errorf("%w: %s belongs to user %d, not %d", ErrUnsafeDir, dir, st.Uid, owner)
	}
	if st.Mode&forbidden != 0 {
		return fmt.Errorf("%w: %s has mode %04o, open to others", ErrUnsafeDir, dir, st.Mode&0o7777)
	}
	if err := owned.Dir(dir); errors.Is(err, owned.ErrUnsafe) {
		return fmt.Errorf("%w: %w", ErrUnsafeDir, err)
	} else if err != nil {
		return fmt.Errorf("look at the way to %s: %w", dir, err)
	}
	return nil
}
