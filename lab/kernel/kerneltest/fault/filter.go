package fault

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// enterVar is the environment variable that makes a test binary the program that
// it names, with the filter on it.
const enterVar = "NETLAB_TEST_FAULT"

// asked are the calls that the test is asked about.
func asked() []uint32 {
	return []uint32{
		unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_RECVFROM, unix.SYS_RECVMSG, unix.SYS_SOCKET,
		unix.SYS_OPENAT, unix.SYS_WRITE, unix.SYS_PWRITE64, unix.SYS_FTRUNCATE,
		unix.SYS_MKDIRAT, unix.SYS_UNLINKAT, unix.SYS_LINKAT, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2,
		unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_EXECVE,
	}
}

// Main must be called first in a TestMain of tests that use Run. In a process
// that Run has started it does not return.
func Main() {
	program := os.Getenv(enterVar)
	if program == "" {
		return
	}
	fmt.Fprintln(os.Stderr, "put the filter on:", enter(program))
	os.Exit(125)
}

// enter puts the filter on this process, hands its listener to the test over
// descriptor 3, and becomes the program.
func enter(program string) error {
	path, err := exec.LookPath(program)
	if err != nil {
		return err
	}
	os.Unsetenv(enterVar)
	listener, passed := make(chan int), make(chan error)
	go func() { // the filter is on the other thread alone, so this one may send
		runtime.LockOSThread()
		passed <- nil
		passed <- unix.Sendmsg(3, []byte{0}, unix.UnixRights(<-listener), nil, 0)
	}()
	runtime.LockOSThread()
	if err := <-passed; err != nil {
		return err
	}
	fd, err := filter()
	if err != nil {
		return err
	}
	listener <- fd
	if err := <-passed; err != nil {
		return err
	}
	unix.CloseOnExec(fd)
	unix.CloseOnExec(3)
	return unix.Exec(path, append([]string{program}, os.Args[1:]...), os.Environ())
}

// filter puts the filter on the calling thread, for good.
func filter() (listener int, err error) {
	calls := asked()
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: 0, Size: 4}} // seccomp_data.nr
	for i, nr := range calls {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: nr, SkipTrue: uint8(len(calls) - i)})
	}
	program = append(program, bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}, bpf.RetConstant{Val: unix.SECCOMP_RET_USER_NOTIF})
	raw, err := bpf.Assemble(program)
	if err != nil {
		return 0, err
	}
	filters := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filters[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filters)), Filter: &filters[0]}
	// A signal, such as the Go runtime's own, must not have a call asked about twice.
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return 0, fmt.Errorf("seccomp: %w", errno)
	}
	return int(fd), nil
}
