package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest"
)

// startInChild starts a sandbox in a process of its own, which can be killed.
func startInChild(t *testing.T, name string) (starter *exec.Cmd, s *Sandbox) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "start-and-wait", name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if n, err := out.Read(make([]byte, 1)); n != 1 {
		t.Fatalf("no sandbox was started: %v", err)
	}
	if s, err = Find(name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return cmd, s
}

// startAndWait is that process.
func startAndWait(name string) error {
	s, err := Start(name)
	if err != nil {
		return err
	}
	if _, err := os.Stdout.WriteString("!"); err != nil {
		return err
	}
	_, err = os.Stdin.Read(make([]byte, 1)) // /dev/null: at once
	time.Sleep(time.Minute)                 // until it is killed
	return errors.Join(err, s.Stop())
}

// awaitHolderGone waits until the sandbox has ended by itself.
func awaitHolderGone(t *testing.T, s *Sandbox) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		alive, err := s.entry.alive()
		if err != nil {
			t.Fatal(err)
		}
		if !alive {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the holder goes on alone")
		}
	}
	if _, err := Find(s.Name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still written down: %v", err)
	}
}

func TestHolderEndsWithItsLastUse(t *testing.T) {
	for _, tt := range []struct {
		name string
		use  func(t *testing.T, s *Sandbox) (end func())
	}{
		{"nobody came in", func(*testing.T, *Sandbox) func() { return nil }},
		{"a netlab is inside", func(t *testing.T, s *Sandbox) func() {
			cmd, err := s.Netlab(t.Context(), "wait-inside")
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if n, err := out.Read(make([]byte, 1)); n != 1 {
				t.Fatalf("it has not come in: %v", err)
			}
			return func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
		}},
		{"a lab is up", func(t *testing.T, s *Sandbox) func() {
			inside(t, s, "touch", LabsDir+"/x.jsonl", LabsDir+"/y.jsonl", LabsDir+"/.new-1")
			return func() { inside(t, s, "sh", "-c", "cd "+LabsDir+" && rm .new-1 && rm x.jsonl && rm y.jsonl") }
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			starter, s := startInChild(t, "last")
			end := tt.use(t, s)
			if end != nil && unix.Kill(s.PID, 0) != nil {
				t.Fatal("it is gone while its starter lives")
			}
			if err := starter.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = starter.Wait() // it was killed
			if end != nil {
				awaitHeard(t, s.PID)
				if alive, err := s.entry.alive(); err != nil || !alive {
					t.Fatalf("it has ended in use: %v", err)
				}
				end()
			}
			awaitHolderGone(t, s)
		})
	}
}

// awaitHeard waits until the holder knows that its starter has ended: it closes
// the socket to it.
func awaitHeard(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if _, err := os.Lstat(fmt.Sprintf("/proc/%d/fd/%d", pid, parentFD)); err != nil {
			return
		}
	}
	t.Fatal("the holder has not heard that its starter ended")
}

func TestWhoComesTooLateIsTold(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	s := startSandbox(t, "late")
	inside(t, s, "sh", "-c", "printf over > "+usePath)
	cmd, err := s.Netlab(t.Context(), "wait-inside")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := cmd.CombinedOutput(); err == nil || string(out) != ErrOver.Error()+"\n" {
		t.Errorf("it came in: %s, %v", out, err)
	}
}
