package machine

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest"
)

func TestRootOfItsOwnNamespacesCanUseThem(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	if ok, missing := CanUseHost(); !ok {
		t.Errorf("missing: %v", missing)
	}
}

// To root, that it takes root is no answer.
func TestRootCantWriteWhatIsReadOnly(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	for _, change := range []struct {
		source, kind string
		flags        uintptr
	}{
		{"/proc/sys", "", unix.MS_BIND},
		{"", "", unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
	} {
		if err := unix.Mount(change.source, "/proc/sys", change.kind, change.flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	if ok, missing := CanUseHost(); ok || !slices.Equal(missing, []string{ReadOnlySysctl}) {
		t.Errorf("missing: %v", missing)
	}
}

// rightsOf runs this test again with attributes and returns what it misses.
func rightsOf(t *testing.T, attr *syscall.SysProcAttr) string {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "NETLAB_TEST_RIGHTS=1")
	attr.Pdeathsig = unix.SIGKILL
	cmd.SysProcAttr = attr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

func printRights(t *testing.T) bool {
	if os.Getenv("NETLAB_TEST_RIGHTS") == "" {
		return false
	}
	_, missing := CanUseHost()
	os.Stdout.WriteString(strings.Join(missing, ", ") + "\n")
	return true
}

func TestRootWithoutNamespacesCantUseTheHost(t *testing.T) {
	if printRights(t) || !kerneltest.Isolate(t) {
		return
	}
	// A user namespace alone: all capabilities, and nothing that they govern.
	attr := holderAttr()
	attr.Cloneflags = unix.CLONE_NEWUSER
	want := strings.Join([]string{MissingNetns, MissingMountns}, ", ")
	got := rightsOf(t, attr)
	// Where uid 0 is the namespace's root too, the kernel lets it write sysctls.
	if strings.TrimSuffix(got, ", "+MissingSysctl) != want {
		t.Errorf("missing %q, want %q", got, want)
	}
}

func TestOrdinaryUserCantUseTheHost(t *testing.T) {
	if printRights(t) {
		return
	}
	attr := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		attr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	got := rightsOf(t, attr)
	for _, want := range []string{"CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_NET_RAW", MissingSysctl} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q lacks %s", got, want)
		}
	}
}
