package kernel

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Exec makes the calling process another program, inside the namespace, found by
// the PATH of env, with a
// /sys that shows the namespace's devices, as `ip netns exec` does. It keeps the
// pid, the terminal and the streams, and returns only with an error: one that
// wraps exec.ErrNotFound or fs.ErrNotExist when there is no such program.
func (n *Namespace) Exec(argv, env []string) error {
	path, err := lookPath(argv[0], env)
	if err != nil {
		return fmt.Errorf("look for the program: %w", err)
	}
	// execve(2) on any thread ends the others and goes on in its namespaces.
	return n.doAlone(func() error {
		if n.Name != Host {
			if err := ownSys(); err != nil {
				return fmt.Errorf("mount /sys for %s: %w", n, err)
			}
		}
		return fmt.Errorf("run %s: %w", path, unix.Exec(path, argv, env))
	})
}

// lookPath looks for a program in the PATH of an environment. Directories that are
// not named from the root on are passed over, as exec.LookPath does.
func lookPath(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return exec.LookPath(name)
	}
	for _, v := range env {
		dirs, ok := strings.CutPrefix(v, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(dirs) {
			if !filepath.IsAbs(dir) {
				continue
			}
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return path, nil
			}
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

// ownSys gives the calling thread mounts of its own, with a /sys of the network
// namespace that it is in. Threads share their root and working directory, which
// must be parted first (CLONE_FS).
func ownSys() error {
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return err
	}
	// Under the new mount the old one can't be seen; where it may not be taken
	// away, it need not be.
	if err := unix.Unmount("/sys", unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
		return err
	}
	return unix.Mount("sysfs", "/sys", "sysfs", 0, "")
}
