package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// HoldVerb is the hidden first argument with which Start runs this program
// again as a sandbox's holder; the sandbox's name is the second. Every program
// that calls Start must answer it with Hold, a test binary in its TestMain.
const HoldVerb = "hold"

// holderEnv marks a holder, so that a program that does not know HoldVerb can't
// start itself over and over.
const holderEnv = "NETLAB_HOLDER"

// parentFD is where a holder finds the socket to who started it.
const parentFD = 3

// Parent is the socket that Start leaves a holder, for Hold.
func Parent() *os.File {
	unix.CloseOnExec(parentFD)
	return os.NewFile(parentFD, "parent")
}

// report is the one line that a holder writes to its parent.
type report struct {
	Text  string        `json:"error,omitempty"` // empty: ready
	Errno syscall.Errno `json:"errno,omitempty"` // the kernel's part in it, or 0
}

// held is a holder's error, as its parent has it.
type held struct{ report }

func (h held) Error() string { return h.Text }

func (h held) Unwrap() error {
	if h.Errno == 0 {
		return nil
	}
	return h.Errno
}

// ErrNoHolder: Hold was called by somebody who is not Start.
var ErrNoHolder = errors.New("only netlab itself starts a sandbox's holder")

// startedByStart refuses a call from anywhere but Start: furnishing the
// namespaces of the machine itself would be a disaster.
func startedByStart(parent *os.File) error {
	var st unix.Stat_t
	if os.Getenv(holderEnv) == "" || unix.Fstat(int(parent.Fd()), &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return ErrNoHolder
	}
	return apart("user", "mnt", "net")
}

// apart refuses to go on in a namespace of the parent's, of those kinds. A parent
// whose namespaces can't be looked at is in another user namespace.
func apart(kinds ...string) error {
	for _, kind := range kinds {
		ours, err := os.Readlink("/proc/self/ns/" + kind)
		if err != nil {
			return fmt.Errorf("look at our namespaces: %w", err)
		}
		theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", os.Getppid(), kind))
		if err == nil && ours == theirs {
			return fmt.Errorf("in the %s namespace of who called: %w", kind, ErrNoHolder)
		}
	}
	return nil
}

// Hold keeps a sandbox for as long as it runs: until SIGTERM or the end of ctx, or
// until it was used for the last time: whoever started it has ended or closed it, no
// lab is in it, and no netlab. It must be called in a process that Start has made, early, in user, mount and
// network namespaces of its own; it furnishes those, tells its parent, and does
// not outlive a parent that ends before it has written the sandbox down. It
// ignores SIGINT and SIGHUP.
func Hold(ctx context.Context, name string, parent *os.File) error {
	if err := startedByStart(parent); err != nil {
		return err
	}
	signal.Ignore(unix.SIGINT, unix.SIGHUP, unix.SIGPIPE)
	ctx, stop := signal.NotifyContext(ctx, unix.SIGTERM)
	defer stop()
	// For ps and top: a program run by way of /proc/self/exe is called "exe".
	_ = os.WriteFile("/proc/self/comm", []byte("netlab"), 0)
	k := kernel.Open()
	defer k.Close()
	server, err := furnish(k, name)
	var use *inUse
	if err == nil {
		defer server.Close()
		use, err = watchUse()
	}
	var say report
	if err != nil {
		say.Text = err.Error()
		errors.As(err, &say.Errno)
	}
	if err := errors.Join(err, json.NewEncoder(parent).Encode(say)); err != nil {
		return errors.Join(err, parent.Close())
	}
	if n, err := parent.Read(make([]byte, 1)); n == 0 {
		return errors.Join(fmt.Errorf("nobody has written down sandbox %q: %w", name, err), parent.Close())
	}
	over := make(chan error, 1)
	go func() { over <- use.last(parent) }()
	select {
	case err := <-over:
		return err
	case <-ctx.Done():
		return nil
	}
}

// furnish makes the namespaces that the process is in a machine.
func furnish(k *kernel.Kernel, name string) (*WhoAmI, error) {
	if err := closeStrays(); err != nil {
		return nil, err
	}
	if err := privateMounts(); err != nil {
		return nil, err
	}
	if err := BuildWorld(k); err != nil {
		return nil, err
	}
	server, err := ServeWhoAmI(k)
	if err != nil {
		return nil, err
	}
	if err := SandboxMarker(name).Write(); err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return server, nil
}

// closeStrays closes what the program that called netlab left open to its
// children, such as make's pipes or a lock, for the holder outlives them. Go's
// own files are all close-on-exec.
func closeStrays() error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("list open files: %w", err)
	}
	for _, f := range open {
		fd, err := strconv.Atoi(f.Name())
		if err != nil || fd <= parentFD {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(fd)
		}
	}
	return nil
}

// privateMounts gives the mount namespace the places that netlab, ip and
// iptables write to (facts.md, section 7).
func privateMounts() error {
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mount a private /run: %w", err)
	}
	// /sys/class/net shows this network namespace then. The kernel forbids it
	// where parts of /sys are hidden, as in containers; netlab can do without.
	_ = unix.Mount("sysfs", "/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	return nil
}

// holderAttr is how a holder is made: three namespaces of its own, in which it
// is root, and a session of its own, which no terminal can interrupt.
func holderAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		Setsid:      true,
	}
}
