package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testRegistry is a registry with one entry, of this very process, which keeps
// the directories in place.
func testRegistry(t *testing.T) (registry, entry) {
	t.Helper()
	r := registry{filepath.Join(t.TempDir(), "netlab", "sandboxes")}
	e, err := describe(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.locked(func() error { return writeState(r.path("me"), e) }); err != nil {
		t.Fatal(err)
	}
	return r, e
}

func TestFindReturnsTheLiving(t *testing.T) {
	r, want := testRegistry(t)
	got, err := r.find("me")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFindForgetsWhoIsGone(t *testing.T) {
	for name, change := range map[string]func(*entry){
		"the pid belongs to another process now": func(e *entry) { e.StartTime++ },
		"written before a reboot":                func(e *entry) { e.BootID = "another" },
		"no process of that pid":                 func(e *entry) { e.PID = 1 << 30 },
	} {
		t.Run(name, func(t *testing.T) {
			r, e := testRegistry(t)
			change(&e)
			if err := writeState(r.path("gone"), e); err != nil {
				t.Fatal(err)
			}
			if _, err := r.find("gone"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("find: %v, want ErrNotExist", err)
			}
			if _, err := os.Lstat(r.path("gone")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("its file: %v, want it removed", err)
			}
			if _, err := r.find("me"); err != nil {
				t.Errorf("the other one: %v", err)
			}
		})
	}
}

func TestWhatCantBeReadIsKept(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       error
	}{
		{"empty", "", ErrDamaged},
		{"truncated", `{"version":1,"pid":12`, ErrDamaged},
		{"not ours", `[]`, ErrDamaged},
		{"no version", `{"pid":12}`, ErrDamaged},
		{"no process", `{"version":1}`, ErrDamaged},
		{"wrong type", `{"version":1,"pid":"12"}`, ErrDamaged},
		{"all zeros", "\x00\x00\x00\x00", ErrDamaged},
		{"newer", `{"version":2,"pid":"in a new way"}`, ErrNewer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := testRegistry(t)
			if err := os.WriteFile(r.path("odd"), []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := r.find("odd"); !errors.Is(err, tt.want) {
				t.Errorf("find: %v, want %v", err, tt.want)
			}
			if b, err := os.ReadFile(r.path("odd")); err != nil || string(b) != tt.text {
				t.Errorf("the file was touched: %q, %v", b, err)
			}
			names, err := r.names()
			if diff := cmp.Diff([]string{"me", "odd"}, names); err != nil || diff != "" {
				t.Errorf("names: %v %s", err, diff)
			}
		})
	}
	t.Run("a symbolic link", func(t *testing.T) {
		r, _ := testRegistry(t)
		if err := os.Symlink(r.path("me"), r.path("odd")); err != nil {
			t.Fatal(err)
		}
		if _, err := r.find("odd"); !errors.Is(err, ErrDamaged) {
			t.Errorf("find: %v, want ErrDamaged", err)
		}
	})
}

func TestNothingIsThereBeforeTheFirst(t *testing.T) {
	r := registry{filepath.Join(t.TempDir(), "netlab", "sandboxes")}
	if _, err := r.find("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("find: %v, want ErrNotExist", err)
	}
	if names, err := r.names(); err != nil || len(names) != 0 {
		t.Errorf("names: %v, %v", names, err)
	}
	if err := r.remove("x", entry{}); err != nil {
		t.Errorf("remove: %v", err)
	}
	if _, err := os.Lstat(filepath.Dir(r.dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("looking made a directory: %v", err)
	}
}

func TestRemoveTakesOnlyItsOwnEntry(t *testing.T) {
	r, e := testRegistry(t)
	other := e
	other.StartTime++
	if err := r.remove("me", other); err != nil {
		t.Fatal(err)
	}
	if _, err := r.find("me"); err != nil {
		t.Errorf("another's entry was removed: %v", err)
	}
	for range 2 {
		if err := r.remove("me", e); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Lstat(r.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the empty directory stayed: %v", err)
	}
}

func TestLockedIsAloneWhileTheDirectoryComesAndGoes(t *testing.T) {
	r := registry{filepath.Join(t.TempDir(), "netlab", "sandboxes")}
	var inside atomic.Int32
	var crowded atomic.Bool
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		wg.Go(func() {
			for range 20 {
				errs[i] = errors.Join(errs[i], r.locked(func() error {
					if inside.Add(1) > 1 {
						crowded.Store(true)
					}
					err := writeState(r.path("x"), entry{})
					err = errors.Join(err, os.Remove(r.path("x")))
					inside.Add(-1)
					return err
				}))
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	if crowded.Load() {
		t.Error("two were inside at once")
	}
}

func TestNamesThatCantBeAFile(t *testing.T) {
	for _, name := range []string{"", ".", "..", "a/b", ".hidden", "-x", "a b", "ü", fmt.Sprintf("%065d", 1)} {
		if err := checkName(name); err == nil {
			t.Errorf("%q passes", name)
		}
		if _, err := Start(name); err == nil {
			t.Errorf("Start(%q) passes", name)
		}
		if _, err := Find(name); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Find(%q): %v, want a plain error", name, err)
		}
	}
	if err := checkName("proxyarp"); err != nil {
		t.Error(err)
	}
}
