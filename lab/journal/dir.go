package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"netlab/lab/owned"
)

// Dir is a directory of journals, one file a lab. The zero value is not usable.
type Dir struct {
	path    string
	observe func()
}

const suffix = ".jsonl"

// At is the directory of that path; it need not exist yet.
func At(path string) Dir { return Dir{path: path} }

// Observed is the same directory, with observe called right before and right
// after each record is written: where a process may be killed, and a test does.
func (d Dir) Observed(observe func()) Dir {
	d.observe = observe
	return d
}

// make makes the directory if it is not there, and refuses one that others
// could have put something into.
func (d Dir) make() error {
	if err := os.MkdirAll(d.path, 0o700); err != nil {
		return fmt.Errorf("make the state directory: %w", err)
	}
	return d.safe()
}

// safe refuses a directory that others could have put something into: what stands
// in a journal is done. One that is not there is an error wrapping fs.ErrNotExist.
func (d Dir) safe() error {
	err := owned.Dir(d.path)
	if errors.Is(err, owned.ErrUnsafe) {
		return fmt.Errorf("state directory %s: not a directory that only we can write to: %w: %w", d.path, err, fs.ErrPermission)
	}
	if err != nil {
		return fmt.Errorf("look at the state directory: %w", err)
	}
	return nil
}

// Labs names the labs that have a journal here, sorted.
func (d Dir) Labs() ([]string, error) {
	entries, err := d.entries()
	if err != nil {
		return nil, err
	}
	var labs []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), suffix); ok && checkName(name) == nil {
			labs = append(labs, name)
		}
	}
	return labs, nil
}

// entries are those of the directory; none where it is not there.
func (d Dir) entries() ([]fs.DirEntry, error) {
	err := d.safe()
	var entries []fs.DirEntry
	if err == nil {
		entries, err = os.ReadDir(d.path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the state directory: %w", err)
	}
	return entries, nil
}

func (d Dir) file(lab string) string { return filepath.Join(d.path, lab+suffix) }

// checkName refuses what would be a file elsewhere, or one that Labs leaves out, and
// what a command line or a terminal would take for something else.
func checkName(lab string) error {
	odd := func(r rune) bool { return r == '/' || r == utf8.RuneError || !unicode.IsPrint(r) }
	if lab == "" || lab[0] == '.' || lab[0] == '-' || strings.ContainsFunc(lab, odd) {
		return fmt.Errorf("%q can't be the name of a lab: %w", lab, fs.ErrInvalid)
	}
	return nil
}

// Path is the file that a lab's journal is, or would be.
func (d Dir) Path(lab string) string { return d.file(lab) }

// Read reads a lab's journal without opening it for writing. A lab without one
// is an error that wraps fs.ErrNotExist. With ErrDamaged comes what could be
// read before the damage.
func (d Dir) Read(lab string) (*State, error) {
	s, _, err := d.read(lab)
	return s, err
}

// read returns, besides, how long the file is.
func (d Dir) read(lab string) (*State, int64, error) {
	if err := checkName(lab); err != nil {
		return nil, 0, err
	}
	if err := d.safe(); err != nil {
		return nil, 0, err
	}
	data, err := readFile(d.file(lab))
	if err != nil {
		return nil, 0, err
	}
	s, _, err := d.parse(lab, data)
	return s, int64(len(data)), err
}

// parse parses what stands in a lab's file.
func (d Dir) parse(lab string, data []byte) (s *State, whole int, err error) {
	s, whole, err = parse(data)
	if s.Header.Lab != "" && s.Header.Lab != lab {
		whole, err = 0, fmt.Errorf("it is the journal of lab %q: %w", s.Header.Lab, ErrDamaged)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", d.file(lab), err)
	}
	return s, whole, err
}

// Open opens a lab's journal for writing; see Read for the errors.
func (d Dir) Open(lab string) (*Journal, error) {
	s, size, err := d.read(lab)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(d.file(lab), os.O_WRONLY|os.O_APPEND|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return &Journal{State: *s, path: d.file(lab), file: f, observe: d.observe, size: size}, nil
}

// Create makes a lab's journal with its header. The file appears whole: it is
// written under another name first. A lab that has one is an error wrapping
// fs.ErrExist.
func (d Dir) Create(h Header) (*Journal, error) {
	if err := checkName(h.Lab); err != nil {
		return nil, err
	}
	h.Version = Version
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encode the journal's header: %w", err)
	}
	text = append(text, '\n')
	if _, _, err := parse(text); err != nil {
		return nil, fmt.Errorf("make the journal: %w", err)
	}
	// Where a rename would replace a file, a link fails.
	if err := d.put(text, func(new string) error { return os.Link(new, d.file(h.Lab)) }); err != nil {
		return nil, fmt.Errorf("make the journal: %w", err)
	}
	return d.Open(h.Lab)
}

// put writes a file under a passing name, for place to put where it belongs.
func (d Dir) put(data []byte, place func(new string) error) error {
	if err := d.make(); err != nil {
		return err
	}
	f, err := os.CreateTemp(d.path, ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = place(f.Name())
	}
	if gone := os.Remove(f.Name()); !errors.Is(gone, fs.ErrNotExist) { // not after a rename
		err = errors.Join(err, gone)
	}
	return err
}
