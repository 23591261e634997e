package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// An ordinary user, who has nothing but the program, builds a lab in a sandbox,
// reaches into it, and tears it down. The test is not isolated: such a user can
// touch nothing else.
func TestAnOrdinaryUserNeedsNoRoot(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	var user *syscall.SysProcAttr
	if os.Geteuid() == 0 {
		const nobody = 65534
		user = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		for dir := home; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
			if err := os.Chown(dir, nobody, nobody); err != nil {
				t.Fatal(err)
			}
		}
	}
	netlab := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		cmd := exec.Command(filepath.Join(os.Getenv(binaryDir), "netlab"), args...)
		cmd.Dir = home
		// PATH as a user has it on Debian: iptables and sysctl are not on it.
		cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + home, "XDG_RUNTIME_DIR=" + home}
		cmd.SysProcAttr = user
		var out, err strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &err
		runErr := cmd.Run()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != want {
			t.Fatalf("netlab %v: %v, want exit status %d\n%s%s", args, runErr, want, out.String(), err.String())
		}
		return out.String(), err.String()
	}
	if out, err := exec.Command("unshare", "-Urn", "true").CombinedOutput(); err != nil {
		if os.Getenv("NETLAB_REQUIRE_NETNS") == "1" {
			t.Fatalf("user namespaces can't be made here: %s", out)
		}
		t.Skipf("user namespaces can't be made here: %s", out)
	}
	t.Cleanup(func() { netlab(0, "teardown", "--all", "-q") })

	stdout, stderr := netlab(0, "run", "proxyarp")
	if lines := strings.Count(stderr, "\n"); lines != 1 || !strings.Contains(stderr, "running in a sandbox") {
		t.Errorf("it says, in %d lines: %s", lines, stderr)
	}
	if !strings.Contains(stdout, "up: steps 7/7, checks 8/8") {
		t.Errorf("it is not up:\n%s", stdout)
	}
	if stdout, _ = netlab(0, "exec", "ns1", "--", "cat", "/proc/net/dev"); !strings.Contains(stdout, "c-eth0") {
		t.Errorf("in ns1 there is no c-eth0:\n%s", stdout)
	}
	netlab(0, "check")
	netlab(0, "teardown")
	if stdout, _ = netlab(0, "status"); !strings.Contains(stdout, "No lab is up.") {
		t.Errorf("after teardown: %s", stdout)
	}
}
