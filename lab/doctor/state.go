package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/machine"
)

// disk is the file system that state is written to.
type disk struct {
	dir      string // the nearest that exists
	free     uint64 // bytes
	files    uint64 // more that can be made; of some file systems it is not known
	readOnly bool
	unsafe   error // the directory is not ours alone
}

// A journal takes some 150 bytes a line, 4 KiB a pod: that of proxyarp 6 KiB, one
// of 4,000 pods 17 MiB.
const (
	leastFree = 1 << 20
	tightFree = 32 << 20
)

func stateDir(q Question) ([]machine.Finding, error) {
	dir := machine.StateDir()
	if q.Root {
		dir = q.Labs
	}
	d, err := readDisk(dir)
	if err != nil {
		return nil, err
	}
	if _, err := machine.List(); errors.Is(err, machine.ErrUnsafeDir) {
		d.unsafe = err
	}
	return judgeDisk(d), nil
}

// readDisk looks at the directory, or where that is still to be made, at the one
// it will be made in.
func readDisk(dir string) (disk, error) {
	for {
		_, err := os.Stat(dir)
		if err == nil || dir == "/" {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return disk{}, fmt.Errorf("look at the state directory: %w", err)
		}
		dir = filepath.Dir(dir)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return disk{}, fmt.Errorf("look at the file system of %s: %w", dir, err)
	}
	d := disk{dir: dir, free: st.Bavail * uint64(st.Bsize), files: st.Ffree, readOnly: st.Flags&unix.ST_RDONLY != 0}
	if st.Files == 0 { // not counted, as on btrfs
		d.files = 1 << 20
	}
	return d, nil
}

func judgeDisk(d disk) []machine.Finding {
	free := size(d.free)
	look := lab.Command{"df", "-h", d.dir}
	switch {
	case d.unsafe != nil:
		return []machine.Finding{stop(StateUnsafe, lab.Command{"ls", "-ld", d.dir}, "error", d.unsafe.Error())}
	case d.readOnly:
		return []machine.Finding{stop(StateReadOnly, lab.Command{"mount", "-o", "remount,rw", d.dir}, "dir", d.dir)}
	case d.free < leastFree || d.files < 16:
		return []machine.Finding{stop(StateFull, look, "dir", d.dir, "free", free)}
	case d.free < tightFree:
		return []machine.Finding{warn(StateFull, look, "dir", d.dir, "free", free)}
	}
	return []machine.Finding{ok(StateFine, "dir", d.dir, "free", free)}
}

// size is a number of bytes for people.
func size(bytes uint64) string {
	for _, unit := range []struct {
		name  string
		shift uint
	}{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}} {
		if n := bytes >> unit.shift; n > 0 {
			return strconv.FormatUint(n, 10) + " " + unit.name
		}
	}
	return strconv.FormatUint(bytes, 10) + " B"
}

// ofState tells whether a finding is about where state is written: that is in the
// way of sandboxes as well.
func ofState(id string) bool {
	return id == StateUnsafe || id == StateReadOnly || id == StateFull
}
