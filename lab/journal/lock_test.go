package journal

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestALockThatIsTakenNamesItsHolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := At(dir)
	process := holder(t, dir)
	_, err := d.Lock("lab")
	if !errors.Is(err, ErrBusy) {
		t.Fatalf("got %v", err)
	}
	if want := fmt.Sprintf("lab lab, pid %d: ", process.Process.Pid); !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %q, want it to begin with %q", err, want)
	}
	other, err := d.Lock("other")
	if err != nil {
		t.Fatalf("another lab's lock: %v", err)
	}
	if err := other.Release(); err != nil {
		t.Fatal(err)
	}

	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // it was killed
	l, err := d.Lock("lab")
	if err != nil {
		t.Fatalf("after its holder was killed: %v", err)
	}
	_, err = d.Lock("lab")
	if want := fmt.Sprintf("lab lab, pid %d: ", os.Getpid()); !errors.Is(err, ErrBusy) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want it to begin with %q", err, want)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if l, err = d.Lock("lab"); err != nil {
		t.Fatalf("after its release: %v", err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestLockSharedWaits(t *testing.T) {
	t.Parallel()
	d := At(t.TempDir())
	first, err := d.LockShared()
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan error)
	go func() {
		l, err := d.LockShared()
		if err == nil {
			err = l.Release()
		}
		second <- err
	}()
	for !waitedFor(t, first) {
		select {
		case err := <-second:
			t.Fatalf("the second did not wait: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	if err := <-second; err != nil {
		t.Error(err)
	}
}

// waitedFor tells whether somebody waits for a lock, as the kernel lists it.
func waitedFor(t *testing.T, l *Lock) bool {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Fstat(int(l.file.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(contents(t, "/proc/locks"))) {
		if strings.Contains(line, "-> FLOCK") && strings.Contains(line, fmt.Sprintf(":%d ", st.Ino)) {
			return true
		}
	}
	return false
}

// A lab of any name holds its own lock and can take the shared one.
func TestNoLabsLockIsTheSharedOne(t *testing.T) {
	t.Parallel()
	d := At(t.TempDir())
	for _, name := range []string{"shared", "new-1", "lock"} {
		l, err := d.Lock(name)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			s, err := d.LockShared()
			if err == nil {
				err = s.Release()
			}
			done <- err
		}()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("lab %q: its lock is the shared one", name)
		}
		if err := l.Release(); err != nil {
			t.Fatal(err)
		}
	}
}
