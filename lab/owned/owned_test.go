package owned

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// stranger is a user who is neither root nor we.
const stranger = 4242

// place makes a directory that only we can change.
func place(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func do(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// give makes something another user's, which takes root.
func give(t *testing.T, path string) {
	t.Helper()
	if err := os.Lchown(path, stranger, stranger); err != nil {
		t.Skipf("only root can give files away: %v", err)
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	const secret = "secret"
	for _, tt := range []struct {
		name   string
		make   func(t *testing.T, dir string) // dir/f is then opened
		unsafe bool
		err    error
		want   string // what dir/f holds after
	}{
		{"a new file", func(*testing.T, string) {}, false, nil, "x"},
		{"one of ours", func(t *testing.T, d string) { do(t, os.WriteFile(d+"/f", []byte("a"), 0o600)) }, false, nil, "ax"},
		{"by a link of ours", func(t *testing.T, d string) { do(t, os.Symlink("g", d+"/f")) }, false, nil, "x"},
		{"by a link from the root", func(t *testing.T, d string) { do(t, os.Symlink(d+"/g", d+"/f")) }, false, nil, "x"},
		{"through links and back", func(t *testing.T, d string) {
			do(t, os.Mkdir(d+"/sub", 0o755), os.Symlink("sub/../sub", d+"/way"), os.Symlink("way/.././f2", d+"/f"))
		}, false, nil, "x"},
		{"a circle", func(t *testing.T, d string) { do(t, os.Symlink("f", d+"/f")) }, false, unix.ELOOP, ""},
		{"a directory", func(t *testing.T, d string) { do(t, os.Mkdir(d+"/f", 0o755)) }, false, unix.EISDIR, ""},
		{"nowhere", func(t *testing.T, d string) { do(t, os.Symlink("none/g", d+"/f")) }, false, fs.ErrNotExist, ""},
		{"below a file", func(t *testing.T, d string) {
			do(t, os.WriteFile(d+"/g", nil, 0o600), os.Symlink("g/h", d+"/f"))
		}, false, unix.ENOTDIR, ""},
		{"with another name, all ours", func(t *testing.T, d string) {
			do(t, os.WriteFile(d+"/g", nil, 0o600), os.Link(d+"/g", d+"/f"))
		}, false, nil, "x"},
		{"with another name, where others make names", func(t *testing.T, d string) {
			do(t, os.Chmod(d, 0o777|os.ModeSticky), os.WriteFile(d+"/g", []byte(secret), 0o600), os.Link(d+"/g", d+"/f"))
		}, true, nil, secret},
		{"by a stranger's link", func(t *testing.T, d string) {
			do(t, os.WriteFile(d+"/g", []byte(secret), 0o600), os.Symlink("g", d+"/f"))
			give(t, d+"/f")
		}, true, nil, secret},
		{"by a stranger's link to a directory", func(t *testing.T, d string) {
			do(t, os.Mkdir(d+"/sub", 0o755), os.Symlink("sub", d+"/way"), os.Symlink("way/g", d+"/f"))
			give(t, d+"/way")
		}, true, nil, ""},
		{"in a stranger's directory", func(t *testing.T, d string) { give(t, d) }, false, nil, "x"},
		{"a stranger's own file at home", func(t *testing.T, d string) {
			do(t, os.WriteFile(d+"/f", nil, 0o600))
			give(t, d+"/f")
			give(t, d)
		}, false, nil, "x"},
		{"a stranger's file where everybody puts some", func(t *testing.T, d string) {
			do(t, os.Chmod(d, 0o777|os.ModeSticky), os.WriteFile(d+"/f", nil, 0o600))
			give(t, d+"/f")
		}, true, nil, ""},
		{"our file by a second name that a stranger made", func(t *testing.T, d string) {
			do(t, os.WriteFile(d+"/g", []byte(secret), 0o600), os.Link(d+"/g", d+"/f"))
			give(t, d)
		}, true, nil, secret},
		{"a stranger's pipe", func(t *testing.T, d string) {
			do(t, unix.Mkfifo(d+"/f", 0o600))
			give(t, d+"/f")
		}, true, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := place(t)
			tt.make(t, dir)
			f, err := Append(dir+"/f", 0o600)
			if errors.Is(err, ErrUnsafe) != tt.unsafe || tt.err != nil && !errors.Is(err, tt.err) || (err == nil) == (tt.unsafe || tt.err != nil) {
				t.Fatalf("Append: %v", err)
			}
			if err == nil {
				_, err := f.WriteString("x")
				do(t, err, f.Close())
			}
			if tt.want == "" {
				return
			}
			if got, _ := os.ReadFile(dir + "/f"); string(got) != tt.want {
				t.Errorf("it holds %q, want %q", got, tt.want)
			}
		})
	}
}

// What a shell hands over, as /dev/stdout or >(…), is written to.
func TestAppendToAnOpenFile(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	do(t, err)
	defer r.Close()
	f, err := Append(fmt.Sprintf("/dev/fd/%d", w.Fd()), 0o600)
	do(t, err, w.Close())
	_, err = f.WriteString("x")
	do(t, err, f.Close())
	got := make([]byte, 2)
	if n, err := r.Read(got); n != 1 || got[0] != 'x' {
		t.Errorf("read %q, %v", got[:n], err)
	}
}

func TestRemoveTakesOnlyItsOwn(t *testing.T) {
	t.Parallel()
	dir := place(t)
	_, err := Append(dir+"/sub/../f", 0o600)
	if err == nil {
		t.Fatal("the way leads through a directory that is not there")
	}
	f, err := Append(dir+"/f", 0o600)
	do(t, err)
	if !f.New {
		t.Error("it is not new")
	}
	do(t, os.Rename(dir+"/f", dir+"/away"), os.WriteFile(dir+"/f", nil, 0o600), f.Remove())
	if _, err := os.Stat(dir + "/f"); err != nil {
		t.Errorf("another file of its name is gone: %v", err)
	}
	f, err = Append(dir+"/f2", 0o600)
	do(t, err)
	do(t, os.Rename(dir, dir+"2"), os.Mkdir(dir, 0o755), os.WriteFile(dir+"/f2", nil, 0o600), f.Remove())
	if _, err := os.Stat(dir + "/f2"); err != nil {
		t.Errorf("a file of another directory is gone: %v", err)
	}
	do(t, os.RemoveAll(dir+"2"))
}

func TestDir(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		make func(t *testing.T, dir string) // dir/a/b is then looked at
		err  error
	}{
		{"ours", func(t *testing.T, d string) {}, nil},
		{"open to all", func(t *testing.T, d string) { do(t, os.Chmod(d+"/a/b", 0o777)) }, ErrUnsafe},
		{"below one that is open to a group", func(t *testing.T, d string) { do(t, os.Chmod(d+"/a", 0o775)) }, ErrUnsafe},
		{"below one as /tmp", func(t *testing.T, d string) { do(t, os.Chmod(d+"/a", 0o777|os.ModeSticky)) }, nil},
		{"a file", func(t *testing.T, d string) {
			do(t, os.Remove(d+"/a/b"), os.WriteFile(d+"/a/b", nil, 0o600))
		}, ErrUnsafe},
		{"missing", func(t *testing.T, d string) { do(t, os.Remove(d+"/a/b")) }, fs.ErrNotExist},
		{"all missing", func(t *testing.T, d string) { do(t, os.RemoveAll(d+"/a")) }, fs.ErrNotExist},
		{"by a link of ours", func(t *testing.T, d string) {
			do(t, os.Rename(d+"/a", d+"/c"), os.Symlink("c", d+"/a"))
		}, nil},
		{"a link itself", func(t *testing.T, d string) {
			do(t, os.Rename(d+"/a/b", d+"/c"), os.Symlink("../c", d+"/a/b"))
		}, ErrUnsafe},
		{"a stranger's", func(t *testing.T, d string) { give(t, d+"/a/b") }, ErrUnsafe},
		{"below a stranger's", func(t *testing.T, d string) { give(t, d+"/a") }, ErrUnsafe},
		{"by a stranger's link", func(t *testing.T, d string) {
			do(t, os.Rename(d+"/a", d+"/c"), os.Symlink("c", d+"/a"))
			give(t, d+"/a")
		}, ErrUnsafe},
		{"squatted in a place as /tmp", func(t *testing.T, d string) {
			do(t, os.Chmod(d+"/a", 0o777|os.ModeSticky))
			give(t, d+"/a/b")
		}, ErrUnsafe},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := place(t)
			do(t, os.MkdirAll(dir+"/a/b", 0o755))
			tt.make(t, dir)
			if err := Dir(dir + "/a/b"); !errors.Is(err, tt.err) || tt.err == nil && err != nil {
				t.Errorf("Dir: %v, want %v", err, tt.err)
			}
		})
	}
}

// The number of a process that has ended may be another user's by now.
func TestDirThroughAStrangersProcess(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
	if err := cmd.Start(); err != nil {
		t.Skipf("only root can be another user: %v", err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for _, tt := range []struct {
		pid  int
		want error
	}{{os.Getpid(), nil}, {cmd.Process.Pid, ErrUnsafe}} {
		if err := Dir(fmt.Sprintf("/proc/%d/root/usr", tt.pid)); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("through process %d: %v, want %v", tt.pid, err, tt.want)
		}
	}
}

func TestProgram(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		make func(t *testing.T, dir string) // dir/p is then looked at
		err  error
	}{
		{"ours", func(*testing.T, string) {}, nil},
		{"open to a group", func(t *testing.T, d string) { do(t, os.Chmod(d+"/p", 0o775)) }, ErrUnsafe},
		{"not to be run", func(t *testing.T, d string) { do(t, os.Chmod(d+"/p", 0o644)) }, fs.ErrPermission},
		{"in a directory that is open to a group", func(t *testing.T, d string) { do(t, os.Chmod(d, 0o775)) }, ErrUnsafe},
		{"a stranger's", func(t *testing.T, d string) { give(t, d+"/p") }, ErrUnsafe},
		{"a directory", func(t *testing.T, d string) { do(t, os.Remove(d+"/p"), os.Mkdir(d+"/p", 0o755)) }, ErrUnsafe},
		{"by a link to one that is open", func(t *testing.T, d string) {
			do(t, os.Rename(d+"/p", d+"/q"), os.Symlink("q", d+"/p"), os.Chmod(d+"/q", 0o777))
		}, ErrUnsafe},
		{"missing", func(t *testing.T, d string) { do(t, os.Remove(d+"/p")) }, fs.ErrNotExist},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := place(t)
			do(t, os.WriteFile(filepath.Join(dir, "p"), nil, 0o755), os.Chmod(filepath.Join(dir, "p"), 0o755))
			tt.make(t, dir)
			if err := Program(dir + "/p"); !errors.Is(err, tt.err) || tt.err == nil && err != nil {
				t.Errorf("Program: %v, want %v", err, tt.err)
			}
		})
	}
}

func TestMapsRoot(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"         0          0 4294967295\n": true,
		"0 0 1\n":                            true,
		"0 1000 1\n":                         false,
		"0 1000 1\n1 0 1\n":                  true,
		"":                                   false,
		"0 0 0\n":                            false,
	} {
		if got := mapsRoot(text); got != want {
			t.Errorf("mapsRoot(%q) = %t", text, got)
		}
	}
}
