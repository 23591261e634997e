package machine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest"
)

func TestOneNameOneSandbox(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	const starters = 8
	var wg sync.WaitGroup
	got, errs := make([]*Sandbox, starters), make([]error, starters)
	for i := range starters {
		wg.Go(func() { got[i], errs[i] = Start("same") })
	}
	wg.Wait()
	started := 0
	for i, err := range errs {
		if err == nil {
			started++
			t.Cleanup(func() { _ = got[i].Stop() })
		} else if !errors.Is(err, fs.ErrExist) {
			t.Errorf("Start: %v, want ErrExist", err)
		}
	}
	if started != 1 {
		t.Errorf("%d of %d started, want 1", started, starters)
	}
	if kids := children(t); len(kids) != 1 {
		t.Errorf("holders that run: %v, want one", kids)
	}
}

// children lists this process's living children.
func children(t *testing.T) []string {
	t.Helper()
	var kids []string
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range tasks {
		b, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		kids = append(kids, strings.Fields(string(b))...)
	}
	return kids
}

func TestFailedStartLeavesNothing(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	// First: the namespaces of the others are counted until they are cleaned up.
	t.Run("when the holder fails inside", func(t *testing.T) {
		const knob = "/proc/sys/user/max_net_namespaces"
		// This test's own and the holder's, and none is left for its internet.
		if err := os.WriteFile(knob, []byte("2"), 0); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.WriteFile(knob, []byte("100"), 0) }()
		_, err := Start("x")
		if !errors.Is(err, ErrNoUserNamespaces) || !errors.Is(err, unix.ENOSPC) ||
			!strings.Contains(err.Error(), "make a network namespace") {
			t.Errorf("Start: %v, want the holder's own words", err)
		}
		if kids := children(t); len(kids) != 0 {
			t.Errorf("still running: %v", kids)
		}
	})
	t.Run("when it can't be written down", func(t *testing.T) {
		r := openRegistry()
		// A directory where the file would go: the rename fails at the end.
		if err := os.MkdirAll(filepath.Join(r.path("x"), "y"), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := startHolder(r, "x"); err == nil {
			t.Error("it started")
		}
		if kids := children(t); len(kids) != 0 {
			t.Errorf("still running: %v", kids)
		}
		if err := os.RemoveAll(r.dir); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("when the kernel refuses namespaces", func(t *testing.T) {
		const knob = "/proc/sys/user/max_user_namespaces" // of this test's user namespace
		if err := os.WriteFile(knob, []byte("0"), 0); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.WriteFile(knob, []byte("100"), 0) }()
		_, err := Start("x")
		var refused *NamespacesError
		if !errors.As(err, &refused) || !errors.Is(err, ErrNoUserNamespaces) {
			t.Fatalf("Start: %v, want a NamespacesError", err)
		}
		want := []Knob{{"user.max_user_namespaces", "0", "15000"}}
		if diff := cmp.Diff(want, refused.Knobs); diff != "" {
			t.Error(diff)
		}
		if _, err := os.Lstat(openRegistry().dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("left behind: %v", err)
		}
	})
}

func TestAProgramThatIsNoHolderStartsNone(t *testing.T) {
	t.Setenv(holderEnv, "1")
	if _, err := Start("x"); err == nil {
		t.Error("it started")
	}
}
