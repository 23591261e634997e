package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/machine"
	"netlab/lab/owned"
)

// disk is the file system that state is written to.
type disk struct {
	dir      string // the nearest that exists
	free     uint64 // bytes
	files    uint64 // more that can be made; of some file systems it is not known
	readOnly bool
	unsafe   error  // the directory is not ours alone
	culprit  string // what makes it so: a directory, or what stands in the place of one
	writable bool   // it is a directory of ours that others may write to
	netlabs  bool   // it is netlab's to make, and no part of the machine
}

// A journal takes some 150 bytes a line, 4 KiB a pod: that of proxyarp 6 KiB, one
// of 4,000 pods 17 MiB.
const (
	leastFree = 1 << 20
	tightFree = 32 << 20
	// A lab makes its journal, its lock, and a file that becomes either; a sandbox
	// an entry, its directory and the same.
	leastFiles = 16
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
	if q.Root {
		if err := owned.Dir(q.Labs); errors.Is(err, owned.ErrUnsafe) {
			d.unsafe = err
		}
	}
	if _, err := machine.List(); errors.Is(err, machine.ErrUnsafeDir) {
		d.unsafe = err
	}
	if d.unsafe != nil {
		// Which directory that is, and what is amiss with it, is enough.
		d.unsafe = errors.New(strings.TrimPrefix(d.unsafe.Error(), machine.ErrUnsafeDir.Error()+": "))
		d.culprit, d.writable = culprit(d.dir)
		for _, top := range []string{machine.StateDir(), filepath.Dir(q.Labs)} {
			d.netlabs = d.netlabs || d.culprit == top || strings.HasPrefix(d.culprit, top+"/")
		}
	}
	return judgeDisk(d), nil
}

// culprit is the first directory on the way to dir that is not ours alone, and
// whether it would be but for its mode. Below one like /tmp it is what stands there.
func culprit(dir string) (path string, writable bool) {
	for dir != "/" {
		up := filepath.Dir(dir)
		is, err := os.Lstat(up)
		if err != nil || is.Mode()&fs.ModeSticky != 0 || !errors.Is(owned.Dir(up), owned.ErrUnsafe) {
			break
		}
		dir = up
	}
	is, err := os.Lstat(dir)
	if err != nil {
		return dir, false
	}
	st, ok := is.Sys().(*syscall.Stat_t)
	return dir, is.IsDir() && ok && int(st.Uid) == os.Geteuid()
}

// readDisk looks at the directory, or where that is still to be made, at the one
// it will be made in.
func readDisk(dir string) (disk, error) {
	for {
		_, err := os.Lstat(dir) // a link that leads nowhere is there
		if err == nil || dir == "/" {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) {
			return disk{}, fmt.Errorf("look at the state directory: %w", err)
		}
		dir = filepath.Dir(dir)
	}
	if is, err := os.Stat(dir); err != nil || !is.IsDir() {
		return disk{dir: dir, unsafe: fmt.Errorf("%w: %s is no directory", machine.ErrUnsafeDir, dir)}, nil
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
		f := stop(StateUnsafe, lab.Command{"ls", "-ld", d.culprit}, "error", d.unsafe.Error())
		switch {
		case d.writable:
			f.More = []lab.Command{{"chmod", "go-w", d.culprit}}
		case d.netlabs:
			f.More = []lab.Command{{"mv", d.culprit, d.culprit + ".moved"}}
		}
		return []machine.Finding{f}
	case d.readOnly:
		return []machine.Finding{stop(StateReadOnly, lab.Command{"mount", "-o", "remount,rw", d.dir}, "dir", d.dir)}
	case d.files < leastFiles:
		return []machine.Finding{stop(StateNoInodes, lab.Command{"df", "-i", d.dir}, "dir", d.dir, "free", strconv.FormatUint(d.files, 10))}
	case d.free < leastFree:
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
	return slices.Contains([]string{StateUnsafe, StateReadOnly, StateFull, StateNoInodes}, id)
}
