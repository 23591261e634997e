package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// ErrNoNsenter: util-linux's nsenter is not installed. A Go program can't
// enter a user namespace itself: setns wants a single thread.
var ErrNoNsenter = errors.New("nsenter is not installed (package util-linux)")

// ErrEnded: the sandbox's holder is dead or dying. It wraps fs.ErrNotExist.
var ErrEnded = fmt.Errorf("the sandbox has ended: %w", fs.ErrNotExist)

// arrivalEnv holds, for a netlab run inside by Netlab, the directory it was
// called in.
const arrivalEnv = "NETLAB_CALLED_IN"

// firstExtraFD is the number that exec.Cmd gives the first of its ExtraFiles.
const firstExtraFD = 3

// doors are the open namespaces of a sandbox. They stay the right ones whatever
// becomes of the holder's pid.
type doors struct {
	user, mnt, net *os.File
}

func (d *doors) files() []*os.File { return []*os.File{d.user, d.mnt, d.net} }

func (d *doors) close() error {
	var errs []error
	for _, f := range d.files() {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// open opens the doors once and makes sure, each time, that the holder lives.
func (s *Sandbox) open() (*doors, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.doors
	if d == nil {
		d = &doors{}
		for _, ns := range []struct {
			name string
			file **os.File
		}{{"user", &d.user}, {"mnt", &d.mnt}, {"net", &d.net}} {
			var err error
			*ns.file, err = os.Open(fmt.Sprintf("/proc/%d/ns/%s", s.PID, ns.name))
			if errors.Is(err, unix.ESRCH) || errors.Is(err, fs.ErrNotExist) { // dead, or dying and without them
				err = ErrEnded
			}
			if err != nil {
				return nil, errors.Join(fmt.Errorf("open sandbox %q: %w", s.Name, err), d.close())
			}
		}
	}
	// After opening, so that what is open is the holder's for sure.
	alive, err := s.entry.alive()
	if err == nil && !alive {
		err = fmt.Errorf("open sandbox %q: %w", s.Name, ErrEnded)
	}
	if err != nil {
		s.doors = nil
		return nil, errors.Join(err, d.close())
	}
	s.doors = d
	return d, nil
}

// Command prepares a command to run as root inside the sandbox, in its / and its
// host's network namespace. argv[0] is looked up inside, in PATH. The caller
// sets stdio, runs it before Close, and reads its exit code, which is the
// command's own: 126 or 127 where it could not be run. The command inherits the
// namespaces as files 3 to 5.
//
// The error wraps ErrEnded, or ErrNoNsenter.
func (s *Sandbox) Command(ctx context.Context, argv ...string) (*exec.Cmd, error) {
	if len(argv) == 0 {
		return nil, errors.New("no command to run in the sandbox")
	}
	program, err := nsenter()
	if err != nil {
		return nil, err
	}
	d, err := s.open()
	if err != nil {
		return nil, err
	}
	args := []string{"--preserve-credentials"}
	for i, ns := range []string{"user", "mount", "net"} {
		args = append(args, fmt.Sprintf("--%s=/proc/self/fd/%d", ns, firstExtraFD+i))
	}
	cmd := exec.CommandContext(ctx, program, append(append(args, "--"), argv...)...)
	cmd.ExtraFiles = d.files()
	return cmd, nil
}

// Netlab prepares this same program to run inside with the arguments given. It
// need not be reachable by a path in there. Its main must call Arrive first.
func (s *Sandbox) Netlab(ctx context.Context, args ...string) (*exec.Cmd, error) {
	own := fmt.Sprintf("/proc/self/fd/%d", firstExtraFD+3)
	cmd, err := s.Command(ctx, append([]string{own}, args...)...)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Open("/proc/self/exe", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open own program: %w", err)
	}
	// Closed with the garbage that cmd becomes: it holds no namespace.
	cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(uintptr(fd), "own program"))
	dir, err := os.Getwd()
	if err != nil {
		dir = "/" // removed under us: as good as any
	}
	cmd.Env = append(cmd.Environ(), arrivalEnv+"="+dir)
	return cmd, nil
}

// Arrive is for main to call first. In a program that Netlab has run inside a
// sandbox, it keeps the files that it came through from the program's own
// children, and goes to the directory that netlab was called in, where it
// exists inside. The sandbox does not end before the program does. ErrOver says that
// it has. Elsewhere it does nothing.
func Arrive() error {
	dir, ok := os.LookupEnv(arrivalEnv)
	if !ok {
		return nil
	}
	if _, inside, err := Here(); err != nil || !inside {
		return err // somebody's own variable
	}
	_ = os.Unsetenv(arrivalEnv)
	for fd := firstExtraFD; fd <= firstExtraFD+3; fd++ {
		unix.CloseOnExec(fd)
	}
	_ = os.Chdir(dir)
	return occupy()
}

// findNsenter looks in fixed places: PATH is not to be trusted with what root
// may run.
func findNsenter(dirs ...string) (string, error) {
	path, err := kernel.FindProgram("nsenter", dirs...)
	if err != nil {
		return "", ErrNoNsenter
	}
	return path, nil
}

// HaveNsenter is nil, or ErrNoNsenter.
func HaveNsenter() error {
	_, err := nsenter()
	return err
}

// nsenter looks for the program in the system's own directories.
func nsenter() (string, error) { return findNsenter("/usr/bin", "/bin", "/usr/sbin", "/sbin") }
