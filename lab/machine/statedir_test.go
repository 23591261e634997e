package machine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

func TestStateDirIsWhereOnlyTheUserWrites(t *testing.T) {
	const someone = 1234
	me := os.Geteuid()
	uid := strconv.Itoa(me)
	private := filepath.Join(t.TempDir(), "private")
	shared := filepath.Join(t.TempDir(), "shared")
	run := t.TempDir()
	for dir, mode := range map[string]os.FileMode{private: 0o700, shared: 0o755} {
		if err := os.Mkdir(dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(private, link); err != nil {
		t.Fatal(err)
	}
	ordinary := me
	if me == 0 {
		t.Log("as root: only the cases for other users' directories are told apart")
		ordinary = someone
	}
	fallback := "/tmp/netlab-" + strconv.Itoa(ordinary)
	ownOr := func(dir string) string {
		if me == 0 {
			return fallback
		}
		return dir
	}
	for _, tt := range []struct {
		name string
		euid int
		xdg  string
		want string
	}{
		{"root", 0, private, filepath.Join(run, "netlab")},
		{"own XDG_RUNTIME_DIR", ordinary, private, ownOr(filepath.Join(private, "netlab"))},
		{"readable by others", ordinary, shared, fallback},
		{"a symbolic link", ordinary, link, fallback},
		{"relative", ordinary, "private", fallback},
		{"missing", ordinary, private + "/no", fallback},
		{"unset", ordinary, "", fallback},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := stateDir(tt.euid, tt.xdg, run, "/tmp"); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	t.Run("lost environment", func(t *testing.T) {
		if me == 0 {
			t.Skip("root has one place")
		}
		dir := filepath.Join(run, "user", uid)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if got := stateDir(me, "", run, "/tmp"); got != filepath.Join(dir, "netlab") {
			t.Errorf("got %s", got)
		}
	})
}

func TestUnsafeDirectoriesAreRefused(t *testing.T) {
	base := t.TempDir()
	at := func(name string) string { return filepath.Join(base, name) }
	mk := func(name string, mode os.FileMode) {
		t.Helper()
		if err := os.Mkdir(at(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(at(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	mk("good", 0o700)
	mk("group", 0o770)
	mk("world", 0o777|os.ModeSticky)
	if err := os.Symlink(at("good"), at("link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"group", "world", "link", "file"} {
		if err := makeDir(at(name)); !errors.Is(err, ErrUnsafeDir) {
			t.Errorf("%s: %v, want ErrUnsafeDir", name, err)
		}
	}
	if err := checkDir(at("good"), os.Geteuid()+1, 0o022); !errors.Is(err, ErrUnsafeDir) {
		t.Errorf("someone else's: %v, want ErrUnsafeDir", err)
	}
	if err := makeDir(at("good")); err != nil {
		t.Errorf("good: %v", err)
	}
	if err := makeDir(at("new")); err != nil {
		t.Errorf("new: %v", err)
	}
	if info, err := os.Stat(at("new")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("new has mode %v, %v", info.Mode(), err)
	}
	if err := checkDir(at("none"), os.Geteuid(), 0o022); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v, want ErrNotExist", err)
	}
	for _, dir := range []string{at("link"), at("group")} {
		r := registry{filepath.Join(dir, "sandboxes")}
		if _, err := r.find("x"); !errors.Is(err, ErrUnsafeDir) {
			t.Errorf("find in %s: %v, want ErrUnsafeDir", dir, err)
		}
		if _, err := r.names(); !errors.Is(err, ErrUnsafeDir) {
			t.Errorf("names in %s: %v, want ErrUnsafeDir", dir, err)
		}
		if err := r.locked(func() error { return nil }); !errors.Is(err, ErrUnsafeDir) {
			t.Errorf("lock in %s: %v, want ErrUnsafeDir", dir, err)
		}
	}
}
