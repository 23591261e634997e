package fault

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// notif is struct seccomp_notif, and answer struct seccomp_notif_resp, of
// include/uapi/linux/seccomp.h.
type notif struct {
	id    uint64
	tid   uint32
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

type answer struct {
	id    uint64
	val   int64
	errno int32
	flags uint32
}

// ErrHangs: the program did not end.
var ErrHangs = errors.New("it hangs")

const patience = time.Minute

// Run runs the program with its arguments, found in the PATH of this process, and
// asks decide about each call; nil lets it happen. After a fault that is not made
// Again all calls happen. The output and the error are
// those of exec.Cmd.CombinedOutput. It returns when the program and all that it
// has started are gone. A program that has not ended after a time far beyond what
// it takes is killed: the error then wraps ErrHangs.
func Run(decide func(Call) *Fault, program string, args ...string) ([]byte, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(ends[0])
	theirs := os.NewFile(uintptr(ends[1]), "listener")
	out, err := os.CreateTemp("", "fault-")
	if err != nil {
		return nil, errors.Join(err, theirs.Close())
	}
	defer out.Close()
	defer os.Remove(out.Name())
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), enterVar+"="+program)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.ExtraFiles = []*os.File{theirs}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return nil, err
	}
	w := &watch{decide: decide, main: cmd.Process.Pid, sockets: map[string]socket{}, again: map[string]*Fault{},
		processes: map[uint32]int{}, pidfds: map[int]int{}}
	served := serve(ends[0], w)
	w.close()
	if served != nil {
		_ = cmd.Process.Kill()
	}
	err = cmd.Wait()
	said, readErr := os.ReadFile(out.Name())
	return said, errors.Join(err, served, readErr)
}

// serve answers until no process with the filter is left.
func serve(conn int, w *watch) error {
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(conn, make([]byte, 1), oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return fmt.Errorf("no listener was passed: %v", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return err
	}
	listener := fds[0]
	defer unix.Close(listener)
	// Whoever waits for us runs on our processor next. Before Linux 6.6 that can't be had.
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, unix.SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
	for deadline := time.Now().Add(patience); ; {
		ready := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, 100); errors.Is(err, unix.EINTR) {
			continue
		} else if err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return ErrHangs
		}
		if ready[0].Revents == 0 {
			continue
		}
		if ready[0].Revents&unix.POLLIN == 0 { // POLLHUP: all are gone
			return nil
		}
		var asked notif
		if err := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&asked)); errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINTR) {
			continue // killed meanwhile
		} else if err != nil {
			return err
		}
		said := w.answer(&asked)
		said.id = asked.id
		if err := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&said)); err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
	}
}

func ioctl(fd int, request uint, arg unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

// watch is what is known of the program while it runs.
type watch struct {
	decide  func(Call) *Fault
	main    int
	n       int
	began   bool // the program has become itself
	sockets map[string]socket
	again   map[string]*Fault
	last    notif // the last call that was asked about
	done    bool  // there has been a fault, and it is not made again

	// What is read once: threads' processes, and descriptors of these. A number is not
	// given out again so soon.
	processes map[uint32]int
	pidfds    map[int]int
}

func (w *watch) close() {
	for _, fd := range w.pidfds {
		unix.Close(fd)
	}
}

// answer decides about one call.
func (w *watch) answer(n *notif) answer {
	goOn := answer{flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	if w.done || w.restarted(n) {
		return goOn
	}
	c, ok := w.describe(n)
	if !ok {
		return goOn
	}
	f := w.again[c.key]
	if f == nil {
		w.n++
		c.N, c.Other = w.n, w.process(n) != w.main
		if f = w.decide(c); f != nil && f.Again {
			w.again[c.key] = f
		}
		w.done = f != nil && !f.Again
	}
	switch {
	case f == nil:
		return goOn
	case f.Kill:
		_ = unix.Kill(w.main, unix.SIGKILL)
		return answer{errno: -int32(unix.EINTR)} // nobody hears it
	case f.Interrupted:
		if got, ok := w.interrupted(n); ok {
			return answer{val: int64(got)}
		}
		return goOn
	}
	if f.Errno == unix.ENOBUFS && (c.Kind == Answer || c.Kind == List) {
		w.lose(n)
	}
	return answer{errno: -int32(f.Errno)}
}

// restarted tells whether the kernel has begun the last call once more: a write to
// a sysctl does so until it gets the lock that it needs (restart_syscall,
// net/ipv4/devinet.c), thousands of times.
func (w *watch) restarted(n *notif) bool {
	same := w.last.nr == n.nr && w.last.tid == n.tid && w.last.ip == n.ip && w.last.args == n.args && n.nr == unix.SYS_WRITE
	w.last = *n
	return same
}
