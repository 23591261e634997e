package owned

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

func TestReplacePutsAWholeFileInThePlace(t *testing.T) {
	t.Parallel()
	dir := place(t)
	if _, err := Read(dir + "/f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	do(t, MakeDirs(dir+"/a/b/c/"), MakeDirs(dir+"/a/b/c"))
	for _, text := range []string{"long text", "short"} {
		do(t, Replace(dir+"/a/b/c/f", []byte(text), 0o600))
		if got, err := Read(dir + "/a/b/c/f"); err != nil || string(got) != text {
			t.Errorf("read %q, %v, want %q", got, err, text)
		}
	}
	left, err := os.ReadDir(dir + "/a/b/c")
	do(t, err)
	if len(left) != 1 {
		t.Errorf("left beside it: %v", left)
	}
	do(t, os.WriteFile(dir+"/g", nil, 0o600))
	if err := MakeDirs(dir + "/g/h"); err == nil {
		t.Error("a directory was made below a file")
	}
	if err := Replace(dir+"/a", nil, 0o600); err == nil {
		t.Error("a directory was replaced")
	}
}

func TestReplaceLeavesWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	dir := place(t)
	do(t, os.WriteFile(dir+"/g", []byte("secret"), 0o600), os.Symlink("g", dir+"/f"))
	give(t, dir+"/f") // a stranger's link
	if err := Replace(dir+"/f", []byte("x"), 0o600); !errors.Is(err, ErrUnsafe) {
		t.Errorf("Replace: %v", err)
	}
	if _, err := Read(dir + "/f"); !errors.Is(err, ErrUnsafe) {
		t.Errorf("Read: %v", err)
	}
	if got, _ := os.ReadFile(dir + "/g"); string(got) != "secret" {
		t.Errorf("it holds %q", got)
	}
	do(t, os.Mkdir(dir+"/home", 0o755))
	give(t, dir+"/home")
	do(t, MakeDirs(dir+"/home/x"), Replace(dir+"/home/x/f", nil, 0o600))
	for _, path := range []string{"/home/x", "/home/x/f"} {
		if w, err := walked(dir+path, false); err != nil || w.is.Uid != stranger {
			t.Errorf("%s belongs to %d (%v), not to the owner of the home", path, w.is.Uid, err)
		} else {
			do(t, w.close())
		}
	}
}
