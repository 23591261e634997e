package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// startPatience is how long a holder may take to be ready; it takes some 20 ms.
const startPatience = 10 * time.Second

// Start makes a sandbox of that name: it runs this program again as its holder
// (see HoldVerb) and writes the sandbox down for Find. A name in use is an error
// that wraps fs.ErrExist; a machine that refuses is a *NamespacesError. It is there
// until Stop, or while this process runs, and after that as long as a lab is in it,
// or a netlab. When Start fails, or this process dies in it, nothing is left running.
func Start(name string) (*Sandbox, error) {
	if os.Getenv(holderEnv) != "" {
		return nil, fmt.Errorf("this program was started as a holder and does not answer %q", HoldVerb)
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	r := openRegistry()
	var s *Sandbox
	err := r.locked(func() error {
		old, err := r.load(name)
		if err == nil {
			var alive bool
			if alive, err = old.alive(); err == nil && alive {
				return fmt.Errorf("sandbox %q: %w", name, fs.ErrExist)
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		s, err = startHolder(r, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	return s, nil
}

// startHolder runs a holder, waits until it is ready, and writes it down.
func startHolder(r registry, name string) (*Sandbox, error) {
	ours, theirs, err := socketpair()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/proc/self/exe", HoldVerb, name)
	cmd.Args[0] = "netlab"
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), holderEnv+"=1")
	cmd.ExtraFiles = []*os.File{theirs} // becomes parentFD
	cmd.SysProcAttr = holderAttr()
	err = cmd.Start()
	closeErr := theirs.Close()
	if err != nil {
		_ = ours.Close()                                  // the other end is nobody's
		return nil, denied(err, unix.EINVAL, unix.ENOSYS) // a kernel built without
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // reaps it, whenever it ends

	e, err := entry{}, closeErr
	if err == nil {
		err = awaitReady(ours)
	}
	if err == nil {
		e, err = describe(cmd.Process.Pid)
	}
	if err == nil {
		err = writeState(r.path(name), e)
	}
	if err == nil {
		_, err = ours.WriteString("!") // written down: now it may stay
	}
	if err != nil {
		_ = ours.Close()
		_ = cmd.Process.Kill() // it may have ended by itself
		if exit := <-ended; errors.Is(err, errSilent) {
			err = fmt.Errorf("%w (%v)", err, exit)
		}
		if e.PID != 0 { // it may have been written down
			_ = os.Remove(r.path(name))
		}
		return nil, err
	}
	return &Sandbox{Name: name, PID: e.PID, Created: e.Created, entry: e, registry: r, started: ours}, nil
}

var errSilent = errors.New("the sandbox's holder ended or hung before it was ready")

// awaitReady reads a holder's report.
func awaitReady(holder *os.File) error {
	if err := holder.SetReadDeadline(time.Now().Add(startPatience)); err != nil {
		return fmt.Errorf("wait for the holder: %w", err)
	}
	var said report
	if err := json.NewDecoder(holder).Decode(&said); err != nil {
		return errors.Join(errSilent, err)
	}
	if said.Text == "" {
		return nil
	}
	return denied(held{said})
}

// describe is the entry of a holder that runs.
func describe(pid int) (entry, error) {
	boot, err := bootID()
	if err != nil {
		return entry{}, err
	}
	start, err := startTime(pid)
	if err != nil {
		return entry{}, err
	}
	return entry{
		Version: entryVersion, PID: pid, StartTime: start, BootID: boot,
		Created: time.Now().UTC().Truncate(time.Second),
	}, nil
}

func socketpair() (ours, theirs *os.File, err error) {
	// Non-blocking, so that reading has a deadline; exec makes theirs blocking.
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make a socket to the holder: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "holder"), os.NewFile(uintptr(fds[1]), "parent"), nil
}
