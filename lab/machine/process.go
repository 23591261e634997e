package machine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// startTime is when a process was started, in clock ticks since boot: with its
// pid, what tells it from a later process of the same pid. A process that is
// gone, or dead and not yet reaped, is an error that wraps fs.ErrNotExist.
func startTime(pid int) (uint64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, unix.ESRCH) { // it went between open and read
		err = fs.ErrNotExist
	}
	if err != nil {
		return 0, fmt.Errorf("look at process %d: %w", pid, err)
	}
	state, start, err := parseStat(stat)
	if err != nil {
		return 0, fmt.Errorf("look at process %d: %w", pid, err)
	}
	if state == "Z" || state == "X" {
		return 0, fmt.Errorf("process %d is dead: %w", pid, fs.ErrNotExist)
	}
	return start, nil
}

// parseStat takes the state (field 3) and the start time (field 22) from
// /proc/PID/stat (proc_pid_stat(5)). The second field, the command's name in
// parentheses, may hold spaces and parentheses, so fields count from its end.
func parseStat(stat []byte) (state string, start uint64, err error) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return "", 0, errors.New("stat has no command name")
	}
	fields := strings.Fields(string(stat[end+1:]))
	if len(fields) < 20 {
		return "", 0, fmt.Errorf("stat has %d fields after the command name, not 20", len(fields))
	}
	start, err = strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return "", 0, fmt.Errorf("start time in stat: %w", err)
	}
	return fields[0], start, nil
}

// bootID is the kernel's name for this boot (random(4)).
func bootID() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	return strings.TrimSpace(string(id)), nil
}

// endProcess asks a process to end and makes it end after patience. A process
// that is gone, or that is another one than was started at start, is left
// alone; both are no error. It needs pidfd_open (Linux 5.3).
func endProcess(pid int, start uint64, patience time.Duration) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) { // EINVAL: now a thread
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", pid, err)
	}
	defer unix.Close(fd)
	// Only now: what is open can't become another process any more.
	now, err := startTime(pid)
	if errors.Is(err, fs.ErrNotExist) || err == nil && now != start {
		return nil
	}
	if err != nil {
		return err
	}
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		err := unix.PidfdSendSignal(fd, sig, nil, 0)
		if errors.Is(err, unix.ESRCH) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("signal process %d: %w", pid, err)
		}
		ended, err := awaitEnd(fd, patience)
		if err != nil {
			return fmt.Errorf("wait for process %d: %w", pid, err)
		}
		if ended {
			return nil
		}
	}
	return fmt.Errorf("process %d does not end", pid)
}

// awaitEnd waits until the process of a pidfd has ended: it is readable then.
func awaitEnd(pidfd int, patience time.Duration) (bool, error) {
	deadline := time.Now().Add(patience)
	for {
		left := max(time.Until(deadline), 0)
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(left.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return n > 0, err
	}
}
