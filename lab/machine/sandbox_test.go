package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest"
)

func startSandbox(t *testing.T, name string) *Sandbox {
	t.Helper()
	s, err := Start(name)
	if err != nil {
		if errors.Is(err, ErrNoUserNamespaces) && os.Getenv("NETLAB_REQUIRE_NETNS") != "1" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// inside runs a command in the sandbox and returns what it printed.
func inside(t *testing.T, s *Sandbox, argv ...string) string {
	t.Helper()
	cmd, err := s.Command(t.Context(), argv...)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestSandboxIsAMachineOfItsOwn(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	sandboxLife(t)
}

func sandboxLife(t *testing.T) {
	s := startSandbox(t, "proxyarp")
	if got := inside(t, s, "id", "-u"); got != "0" {
		t.Errorf("id -u inside: %s, want 0", got)
	}
	if got, _, _ := strings.Cut(inside(t, s, "ip", "netns"), " "); got != Internet {
		t.Errorf("ip netns inside: %q, want %q", got, Internet)
	}
	if got := inside(t, s, "ip", "-br", "-4", "address", "show", Uplink); !strings.Contains(got, HostPrefix) {
		t.Errorf("%s inside: %q", Uplink, got)
	}
	for _, to := range []string{UplinkAddr, Server} {
		inside(t, s, "ping", "-c1", "-W2", to)
	}
	ask := fmt.Sprintf("exec 9<>/dev/tcp/%s/7777; cat <&9", Server)
	if got := inside(t, s, "bash", "-c", ask); got != HostAddr {
		t.Errorf("the server outside saw %q, want %q", got, HostAddr)
	}

	if comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", s.PID)); err != nil || string(comm) != "netlab\n" {
		t.Errorf("ps calls the holder %q, %v", comm, err)
	}

	var m Marker
	if err := readState(s.Root()+MarkerPath, markerVersion, &m); err != nil {
		t.Fatalf("read the marker from outside: %v", err)
	}
	if diff := cmp.Diff(SandboxMarker("proxyarp").Name, m.Name); diff != "" {
		t.Error(diff)
	}
	if _, here, err := Here(); here || err != nil {
		t.Errorf("outside, Here says %v, %v", here, err)
	}

	found, err := Find("proxyarp")
	if err != nil {
		t.Fatal(err)
	}
	if found.PID != s.PID || !found.Created.Equal(s.Created) {
		t.Errorf("found %d %v, started %d %v", found.PID, found.Created, s.PID, s.Created)
	}
	all, err := List()
	if err != nil || len(all) != 1 || all[0].Name != "proxyarp" {
		t.Errorf("List: %v, %v", all, err)
	}

	for range 2 {
		if err := found.Stop(); err != nil {
			t.Error(err)
		}
	}
	assertGone(t, s)
	if _, err := s.Command(t.Context(), "true"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Command in an ended sandbox: %v, want ErrNotExist", err)
	}
	if entries, _ := os.ReadDir(StateDir()); len(entries) != 0 {
		t.Errorf("left in the state directory: %v", entries)
	}
}

func assertGone(t *testing.T, s *Sandbox) {
	t.Helper()
	if start, err := startTime(s.PID); err == nil && start == s.entry.StartTime {
		t.Errorf("holder %d still runs", s.PID)
	}
	if _, err := Find(s.Name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Find: %v, want ErrNotExist", err)
	}
	if _, err := os.Lstat(s.registry.path(s.Name)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its file: %v, want none", err)
	}
}

func TestSandboxAsOrdinaryUser(t *testing.T) {
	const nobody = 65534
	if os.Geteuid() == nobody {
		sandboxLife(t)
		rootsOwn := filepath.Join(t.TempDir(), "netlab")
		if err := os.Mkdir(rootsOwn, 0); err != nil {
			t.Fatal(err)
		}
		if _, here, err := hereAt(filepath.Join(rootsOwn, "machine.json")); here || err != nil {
			t.Errorf("where root has used netlab, Here says %v, %v", here, err)
		}
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user; as one, the other tests show the same")
	}
	dir, err := os.MkdirTemp("", "netlab-test") // t.TempDir is for its owner
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := errors.Join(os.Chown(dir, nobody, nobody), os.Chmod(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestSandboxAsOrdinaryUser$", "-test.v")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: nobody, Gid: nobody},
		Pdeathsig:  unix.SIGKILL,
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as user %d: %v\n%s", nobody, err, out)
	}
	if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("%s", out)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestKilledHolderIsNotThere(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	s := startSandbox(t, "victim")
	if err := unix.Kill(s.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var err error
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, err = Find("victim"); err != nil {
			break
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Find: %v, want ErrNotExist", err)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("Stop: %v", err)
	}
	assertGone(t, s)
	startSandbox(t, "victim") // the name is free again
}

func TestReusedPidIsNotTheSandbox(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	s := startSandbox(t, "old")
	e := s.entry
	e.StartTime--
	if err := writeState(s.registry.path("reused"), e); err != nil {
		t.Fatal(err)
	}
	liar := &Sandbox{Name: "reused", PID: e.PID, entry: e, registry: s.registry}
	if _, err := liar.Command(t.Context(), "true"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Command: %v, want ErrNotExist", err)
	}
	if err := liar.Stop(); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if _, err := Find("reused"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Find: %v, want ErrNotExist", err)
	}
	if _, err := Find("old"); err != nil {
		t.Errorf("the process of that pid was stopped: %v", err)
	}
}
