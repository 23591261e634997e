package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// onlyFiles fails the test unless a directory has these files and no others,
// locks left aside.
func onlyFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".lock" {
			got = append(got, e.Name())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestCreateRefusesAnExistingJournalAndLeavesNothing(t *testing.T) {
	t.Parallel()
	d, j := create(t)
	before := contents(t, j.Path())
	if _, err := d.Create(Header{Lab: "lab", Scenario: "other"}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(before, contents(t, j.Path())); diff != "" {
		t.Errorf("the journal has changed:\n%s", diff)
	}
	for _, h := range []Header{{Lab: "two"}, {Scenario: "s"}} {
		if _, err := d.Create(h); err == nil {
			t.Errorf("%+v: no error", h)
		}
	}
	onlyFiles(t, d.path, "lab.jsonl")
}

func TestCreateMakesTheDirectoryForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	d := At(filepath.Join(t.TempDir(), "netlab", "labs"))
	if labs, err := d.Labs(); err != nil || labs != nil {
		t.Errorf("before: %v, %v", labs, err)
	}
	if _, err := d.Open("lab"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open before: %v", err)
	}
	j, err := d.Create(Header{Lab: "lab", Scenario: "s", Version: 77})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if j.Header.Version != Version {
		t.Errorf("version %d", j.Header.Version)
	}
	for path, want := range map[string]fs.FileMode{d.path: 0o700, j.Path(): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
}

func TestLabsAreNamedSortedWithoutOtherFiles(t *testing.T) {
	t.Parallel()
	d := At(t.TempDir())
	for _, name := range []string{"two.jsonl", "a.jsonl", ".hidden.jsonl", ".a.lock", "b.jsonl.damaged", ".new-1", "notes"} {
		if err := os.WriteFile(filepath.Join(d.path, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	labs, err := d.Labs()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "two"}, labs); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := os.WriteFile(filepath.Join(d.path, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := At(filepath.Join(d.path, "file")).Labs(); err == nil {
		t.Error("the labs of a file: no error")
	}
}

func TestANameThatLeadsElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	d := At(filepath.Join(t.TempDir(), "labs"))
	for _, name := range []string{"", ".", "..", "../x", "a/b", "/tmp/x", ".hidden", "a\x00b"} {
		_, createErr := d.Create(Header{Lab: name, Scenario: "s"})
		_, readErr := d.Read(name)
		_, openErr := d.Open(name)
		_, salvageErr := d.Salvage(name)
		_, lockErr := d.Lock(name)
		for i, err := range []error{createErr, readErr, openErr, salvageErr, lockErr} {
			if !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%q, %d: %v", name, i, err)
			}
		}
	}
	if _, err := os.Stat(d.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory was made: %v", err)
	}
}

func TestAStateDirectoryOthersCanWriteToIsRefused(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T) string{
		"group-writable": func(t *testing.T) string { return withMode(t, 0o770) },
		"world-writable": func(t *testing.T) string { return withMode(t, 0o707) },
		"a symlink": func(t *testing.T) string {
			link := filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(withMode(t, 0o700), link); err != nil {
				t.Fatal(err)
			}
			return link
		},
		"somebody else's": func(t *testing.T) string {
			if os.Geteuid() != 0 {
				return "/" // root's
			}
			dir := withMode(t, 0o700)
			if err := os.Chown(dir, 65534, 65534); err != nil {
				t.Fatal(err)
			}
			return dir
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := At(prepare(t))
			_, createErr := d.Create(Header{Lab: "lab", Scenario: "s"})
			_, lockErr := d.Lock("lab")
			_, sharedErr := d.LockShared()
			for _, err := range []error{createErr, lockErr, sharedErr} {
				if !errors.Is(err, fs.ErrPermission) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := At(file).Lock("lab"); err == nil {
		t.Error("a file: no error")
	}
}

func withMode(t *testing.T, mode fs.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestASymlinkInTheJournalsPlaceIsRefused(t *testing.T) {
	t.Parallel()
	d, j := create(t)
	if err := os.Symlink(j.Path(), d.Path("link")); err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(string) (*Journal, error){d.Open, d.Salvage} {
		if _, err := open("link"); !errors.Is(err, unix.ELOOP) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := d.Create(Header{Lab: "link", Scenario: "s"}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("create: %v", err)
	}
	if err := os.Symlink(filepath.Join(d.path, "elsewhere"), filepath.Join(d.path, ".lab.lock")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Lock("lab"); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a lock that is a symlink: %v", err)
	}
	sameOnDisk(t, d, j)
}
