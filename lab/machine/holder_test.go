package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest"
)

func TestHolderStaysOutOfTheTerminalsWay(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	stray, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0) // inheritable
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(stray)
	s := startSandbox(t, "quiet")
	if sid, err := unix.Getsid(s.PID); err != nil || sid != s.PID {
		t.Errorf("its session is %d (%v), want its own, %d", sid, err, s.PID)
	}
	for _, sig := range []unix.Signal{unix.SIGINT, unix.SIGHUP} {
		if !ignoresSignal(t, s.PID, sig) {
			t.Errorf("it does not ignore %v", sig)
		}
	}
	proc := fmt.Sprintf("/proc/%d", s.PID)
	if dir, err := os.Readlink(proc + "/cwd"); err != nil || dir != "/" {
		t.Errorf("its directory is %s, %v", dir, err)
	}
	fds, err := os.ReadDir(proc + "/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		to, err := os.Readlink(proc + "/fd/" + fd.Name())
		if n, _ := strconv.Atoi(fd.Name()); err == nil && n < 3 && to != "/dev/null" {
			t.Errorf("its file %d is %s", n, to)
		}
		if to == "/etc/passwd" {
			t.Error("it keeps a file of its caller's")
		}
	}
}

func TestHolderDoesNotOutliveAParentThatNeverWroteItDown(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	ours, theirs, err := socketpair()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", HoldVerb, "orphan")
	cmd.Env = append(os.Environ(), holderEnv+"=1")
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = holderAttr()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(theirs.Close(), awaitReady(ours), ours.Close()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it ended as if all was well")
		}
	case <-time.After(5 * time.Second):
		t.Error("it goes on alone")
		_ = cmd.Process.Kill()
	}
}

// Somebody who types the holder's verb must not have the machine's own /run
// covered and links made in its network.
func TestHoldRefusesEverybodyButStart(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	before := kerneltest.Snapshot(t)
	for _, env := range [][]string{nil, {holderEnv + "=1"}} {
		cmd := exec.Command("/proc/self/exe", HoldVerb, "typed")
		cmd.Env = append(os.Environ(), env...)
		if out, err := cmd.CombinedOutput(); err == nil {
			t.Errorf("with %v it holds: %s", env, out)
		}
	}
	if after := kerneltest.Snapshot(t); after != before {
		t.Error("it changed something")
	}
}

func ignoresSignal(t *testing.T, pid int, sig unix.Signal) bool {
	t.Helper()
	return signalMask(t, pid, "SigIgn")&(1<<(sig-1)) != 0
}

func signalMask(t *testing.T, pid int, field string) (mask uint64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(after(string(status), field+":"), "%x", &mask); err != nil {
		t.Fatal(err)
	}
	return mask
}
