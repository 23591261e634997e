package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
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
	var st unix.Stat_t
	if err := unix.Lstat(d.path, &st); err != nil {
		return fmt.Errorf("look at the state directory %s: %w", d.path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0 {
		return fmt.Errorf("state directory %s: not a directory that only we can write to: %w", d.path, fs.ErrPermission)
	}
	return nil
}

// Labs names the labs that have a journal here, sorted.
func (d Dir) Labs() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the state directory: %w", err)
	}
	var labs []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), suffix); ok && !strings.HasPrefix(name, ".") {
			labs = append(labs, name)
		}
	}
	return labs, nil
}

func (d Dir) file(lab string) string { return filepath.Join(d.path, lab+suffix) }

// Path is the file that a lab's journal is, or would be.
func (d Dir) Path(lab string) string { return d.file(lab) }

// Read reads a lab's journal without opening it for writing. A lab without one
// is an error that wraps fs.ErrNotExist. With ErrDamaged comes what could be
// read before the damage.
func (d Dir) Read(lab string) (*State, error) {
	data, err := readFile(d.file(lab))
	if err != nil {
		return nil, err
	}
	s, err := parse(data)
	if err == nil && s.Header.Lab != lab {
		err = fmt.Errorf("it is the journal of lab %q: %w", s.Header.Lab, ErrDamaged)
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", d.file(lab), err)
	}
	return s, nil
}

// Open opens a lab's journal for writing; see Read for the errors.
func (d Dir) Open(lab string) (*Journal, error) {
	s, err := d.Read(lab)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(d.file(lab), os.O_WRONLY|os.O_APPEND|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return &Journal{State: *s, path: d.file(lab), file: f, observe: d.observe}, nil
}

// Salvage opens a damaged journal: what stood before the damage is kept, the
// whole file is set aside as LAB.jsonl.damaged, and the kept part written anew.
func (d Dir) Salvage(lab string) (*Journal, error) {
	data, err := readFile(d.file(lab))
	if err != nil {
		return nil, err
	}
	s, err := parse(data)
	if !errors.Is(err, ErrDamaged) {
		return d.Open(lab)
	}
	if s.Header.Version == 0 {
		return nil, fmt.Errorf("%s: %w", d.file(lab), err)
	}
	if err := os.Rename(d.file(lab), d.file(lab)+".damaged"); err != nil {
		return nil, fmt.Errorf("set the damaged journal aside: %w", err)
	}
	j, err := d.Create(s.Header)
	if err != nil {
		return nil, err
	}
	for _, l := range s.lines() {
		if err := j.append(l); err != nil {
			return nil, errors.Join(err, j.Close())
		}
	}
	return j, nil
}

// lines writes a state as records again.
func (s *State) lines() []line {
	var lines []line
	for _, e := range s.Entries {
		lines = append(lines, line{Intent: &intent{Seq: e.Seq, Step: e.Step, Op: e.Op, Undo: e.Undo}})
		if e.Done {
			lines = append(lines, line{Done: &done{Seq: e.Seq, Made: e.Made}})
		}
		if e.Taken != nil {
			lines = append(lines, line{Take: &take{Seq: e.Seq, Undo: e.Taken}})
		}
		if e.Undone {
			lines = append(lines, line{Undone: e.Seq})
		}
	}
	for id, at := range s.Steps {
		lines = append(lines, line{Step: &stepEnd{ID: id, Done: true, At: at}})
	}
	return lines
}

// Create makes a lab's journal with its header. The file appears whole: it is
// written under another name first. A lab that has one is an error wrapping
// fs.ErrExist.
func (d Dir) Create(h Header) (*Journal, error) {
	if err := d.make(); err != nil {
		return nil, err
	}
	h.Version = Version
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encode the journal's header: %w", err)
	}
	f, err := os.CreateTemp(d.path, ".new-*")
	if err != nil {
		return nil, fmt.Errorf("make the journal: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = os.Link(f.Name(), d.file(h.Lab)) // fails where a rename would replace
	}
	err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	if err != nil {
		return nil, fmt.Errorf("make the journal: %w", err)
	}
	return d.Open(h.Lab)
}
