package progress

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"netlab/lab/owned"
)

// Version is the version of the file that this package writes.
const Version = 1

var (
	// ErrNoHome: the environment names no directory to keep progress in.
	ErrNoHome = errors.New("neither XDG_STATE_HOME nor HOME names a directory")
	// ErrNewer: the file was written by a newer netlab. It is left as it is.
	ErrNewer = errors.New("written by a newer netlab")
	// ErrDamaged: the file can't be read. It is left as it is.
	ErrDamaged = errors.New("damaged")
)

// Store is the file of one user. It is safe for use by several processes.
type Store struct{ path string }

// file is what the file holds.
type file struct {
	Version int      `json:"netlab_progress"`
	Records []Record `json:"records"`
}

// At is the store in that file, which need not be there.
func At(path string) Store { return Store{path} }

// Of is the store of the user who has that environment, of the form NAME=VALUE:
// netlab/progress.json below $XDG_STATE_HOME, or below ~/.local/state where that is
// not set or not absolute (XDG Base Directory Specification).
func Of(environ []string) (Store, error) {
	get := func(name string) string {
		for _, v := range slices.Backward(environ) {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}
	state := get("XDG_STATE_HOME")
	if !filepath.IsAbs(state) {
		home := get("HOME")
		if !filepath.IsAbs(home) {
			return Store{}, ErrNoHome
		}
		state = filepath.Join(home, ".local", "state")
	}
	return At(filepath.Join(state, "netlab", "progress.json")), nil
}

// Path is where the file is, or would be.
func (s Store) Path() string { return s.path }

// Records lists what is known, in the order in which it was first begun. No file:
// nothing.
func (s Store) Records() ([]Record, error) {
	f, err := s.read()
	return f.Records, err
}

// Record finds one exercise; the zero Record of that key where nothing is known.
func (s Store) Record(kind Kind, name string) (Record, error) {
	f, err := s.read()
	return *f.at(kind, name), err
}

// Update changes one record and writes the file anew, while no other process does.
// It returns the record as it is then.
func (s Store) Update(kind Kind, name string, change func(*Record)) (changed Record, err error) {
	if err := owned.MakeDirs(filepath.Dir(s.path)); err != nil {
		return Record{}, fmt.Errorf("keep progress: %w", err)
	}
	lock, err := owned.OpenDir(filepath.Dir(s.path))
	if err != nil {
		return Record{}, fmt.Errorf("keep progress: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }() // which lets go of it
	if err := flock(int(lock.Fd())); err != nil {
		return Record{}, fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	f, err := s.read()
	if err != nil {
		return Record{}, err
	}
	r := f.at(kind, name)
	change(r)
	f.Version = Version
	data, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return Record{}, fmt.Errorf("encode progress: %w", err)
	}
	if err := owned.Replace(s.path, append(data, '\n'), 0o600); err != nil {
		return Record{}, fmt.Errorf("keep progress: %w", err)
	}
	return *r, nil
}

// flock waits for the lock; a signal, such as the terminal's, is no reason to stop.
func flock(fd int) error {
	for {
		if err := unix.Flock(fd, unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func (s Store) read() (file, error) {
	data, err := owned.Read(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return file{}, nil
	}
	if err != nil {
		return file{}, fmt.Errorf("read progress: %w", err)
	}
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return file{}, fmt.Errorf("%s: %w: %w", s.path, ErrDamaged, err)
	}
	switch {
	case f.Version > Version:
		return file{}, fmt.Errorf("%s: %w", s.path, ErrNewer)
	case f.Version < 1:
		return file{}, fmt.Errorf("%s: %w: no version", s.path, ErrDamaged)
	}
	return f, nil
}

// at finds a record, and adds it where there is none.
func (f *file) at(kind Kind, name string) *Record {
	for i, r := range f.Records {
		if r.Kind == kind && r.Name == name {
			return &f.Records[i]
		}
	}
	f.Records = append(f.Records, Record{Kind: kind, Name: name})
	return &f.Records[len(f.Records)-1]
}
