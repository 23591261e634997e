// Package kerneltest gives a test namespaces of its own, so that kernel tests
// run as root or as an ordinary user, in parallel, and never near the machine.
package kerneltest

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const inside = "NETLAB_TEST_INSIDE"

// Isolate runs the calling test again in a child process with a user, mount and
// network namespace of its own, a private tmpfs on /run and its own /sys. In the
// parent it returns false: the child has run the test, and its failure is this
// test's. In the child it returns true: go on.
//
//	func TestX(t *testing.T) {
//		if !kerneltest.Isolate(t) {
//			return
//		}
//
// It must be called first in a test or subtest. The child runs the test's
// parents too, up to the subtest: what they do there must be harmless. Where namespaces can't be made
// the test is skipped, or fails when NETLAB_REQUIRE_NETNS is 1.
func Isolate(t *testing.T) bool {
	t.Helper()
	return isolate(t, &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		// Programs that drop rights, such as tcpdump, set their groups, which an
		// ordinary user's child may not.
		GidMappingsEnableSetgroups: os.Geteuid() == 0,
		Pdeathsig:                  unix.SIGKILL,
	})
}

// IsolateAsRoot is Isolate without a user namespace: for what the kernel lets
// only the machine's own root do, such as reading trace events. The test is skipped
// for anyone else.
func IsolateAsRoot(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can do this")
	}
	return isolate(t, &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET,
		Pdeathsig:  unix.SIGKILL,
	})
}

func isolate(t *testing.T, attr *syscall.SysProcAttr) bool {
	t.Helper()
	if os.Getenv(inside) == t.Name() {
		prepare(t)
		return true
	}
	t.Parallel()
	args := []string{"-test.run=" + exactly(t.Name()), "-test.count=1"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	for _, a := range os.Args[1:] { // such as -update
		if !strings.HasPrefix(a, "-test.") {
			args = append(args, a)
		}
	}
	var out bytes.Buffer
	cmd := exec.Command("/proc/self/exe", args...)
	// A race-built child would sleep a second at its exit.
	cmd.Env = append(os.Environ(), inside+"="+t.Name(), "GORACE=atexit_sleep_ms=0")
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = attr
	runtime.LockOSThread() // Pdeathsig is about the thread that starts the child
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		if os.Getenv("NETLAB_REQUIRE_NETNS") == "1" {
			t.Fatalf("namespaces can't be made here: %v", err)
		}
		t.Skipf("namespaces can't be made here: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("in its own namespaces: %v\n%s", err, out.String())
	} else if testing.Verbose() {
		t.Log(out.String())
	}
	return false
}

// exactly is the pattern that -test.run takes for the test of that name alone.
func exactly(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}

// prepare gives the child the mounts that netlab, ip and iptables write to.
func prepare(t *testing.T) {
	t.Helper()
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatalf("make mounts private: %v", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		t.Fatalf("private /run: %v", err)
	}
	if err := unix.Mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		t.Fatalf("private /sys: %v", err)
	}
	t.Setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
}
