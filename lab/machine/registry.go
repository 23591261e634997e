package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const entryVersion = 1

// entry is what is kept of a running sandbox, as NAME.json.
type entry struct {
	Version   int       `json:"version"`
	PID       int       `json:"pid"`        // of the holder
	StartTime uint64    `json:"start_time"` // of the holder, in ticks since boot
	BootID    string    `json:"boot_id"`
	Created   time.Time `json:"created"`
}

// alive tells whether the holder that the entry speaks of still runs.
func (e entry) alive() (bool, error) {
	boot, err := bootID()
	if err != nil {
		return false, err
	}
	start, err := startTime(e.PID)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && e.BootID == boot && e.StartTime == start, err
}

// registry is a directory of entries. Whoever writes in it holds its lock.
type registry struct {
	dir string
}

func openRegistry() registry {
	return registry{filepath.Join(StateDir(), "sandboxes")}
}

func (r registry) path(name string) string { return filepath.Join(r.dir, name+".json") }

// check looks whether the directories can be trusted. Missing ones wrap
// fs.ErrNotExist.
func (r registry) check() error {
	for _, dir := range []string{filepath.Dir(r.dir), r.dir} {
		if err := checkDir(dir, os.Geteuid(), 0o022); err != nil {
			return err
		}
	}
	return nil
}

// load reads an entry, alive or not.
func (r registry) load(name string) (entry, error) {
	var e entry
	if err := checkName(name); err != nil {
		return e, err
	}
	if err := r.check(); err != nil {
		return e, err
	}
	if err := readState(r.path(name), entryVersion, &e); err != nil {
		return e, err
	}
	if e.PID <= 1 || e.StartTime == 0 || e.BootID == "" {
		return e, fmt.Errorf("%s: %w: no process in it", r.path(name), ErrDamaged)
	}
	return e, nil
}

// find reads an entry whose holder runs. One whose holder has gone is removed,
// and is as one that was never there: fs.ErrNotExist.
func (r registry) find(name string) (entry, error) {
	e, err := r.load(name)
	if errors.Is(err, fs.ErrNotExist) {
		return e, fmt.Errorf("no sandbox %q: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return e, err
	}
	alive, err := e.alive()
	if err != nil || alive {
		return e, err
	}
	return e, errors.Join(fmt.Errorf("no sandbox %q any more: %w", name, fs.ErrNotExist), r.remove(name, e))
}

// remove takes an entry away if it still is the one given.
func (r registry) remove(name string, e entry) error {
	if err := r.check(); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return r.locked(func() error {
		now, err := r.load(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && (now.PID != e.PID || now.StartTime != e.StartTime) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := os.Remove(r.path(name)); err != nil {
			return fmt.Errorf("forget sandbox %q: %w", name, err)
		}
		return nil
	})
}

// names lists the entries, sorted.
func (r registry) names() ([]string, error) {
	err := r.check()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(r.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list sandboxes: %w", err)
	}
	var names []string
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".json")
		if ok && checkName(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// locked runs work alone among all netlabs of this user, in a directory that
// exists meanwhile. The lock goes with the process.
func (r registry) locked(work func() error) error {
	const tries = 10000 // each lost to another netlab removing the directory
	for range tries {
		for _, dir := range []string{filepath.Dir(r.dir), r.dir} {
			if err := makeDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		fd, err := unix.Open(r.dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("open %s: %w", r.dir, err)
		}
		for err = unix.EINTR; errors.Is(err, unix.EINTR); {
			err = unix.Flock(fd, unix.LOCK_EX)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("lock %s: %w", r.dir, err), unix.Close(fd))
		}
		if !leadsTo(r.dir, fd) {
			_ = unix.Close(fd)
			continue
		}
		err = work()
		r.tidy()
		return errors.Join(err, unix.Close(fd))
	}
	return fmt.Errorf("%s comes and goes", r.dir)
}

// tidy removes the directories if they are empty, which is the only case in
// which the kernel removes them.
func (r registry) tidy() {
	if os.Remove(r.dir) == nil && os.Geteuid() != 0 { // root's is the journal's too
		_ = os.Remove(filepath.Dir(r.dir))
	}
}

// leadsTo tells whether a path still names what is open.
func leadsTo(path string, fd int) bool {
	var open, named unix.Stat_t
	return unix.Fstat(fd, &open) == nil && unix.Lstat(path, &named) == nil &&
		open.Dev == named.Dev && open.Ino == named.Ino
}

// checkName holds a sandbox's name to what is safe as a file's name.
func checkName(name string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`).MatchString(name) {
		return fmt.Errorf("%q can't be a sandbox's name: letters, digits, and _ . - after the first, at most 64", name)
	}
	return nil
}
