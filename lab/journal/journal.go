package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab/owned"
)

// Journal is one lab's journal, open for writing. Whoever writes holds the
// lab's lock (Dir.Lock), except for Take.
type Journal struct {
	State
	path    string
	file    *os.File
	size    int64  // how long the file is of which State knows all
	mixed   bool   // others have added to it, and then this Journal
	observe func() // see Dir.Observed; nil: nobody does
	// unwritten are records that the disk had no room for; see Forgive.
	unwritten []line
	forgiving bool
	torn      error // a record that stands there in part, and could not be taken back
}

// append writes one record in one write, and takes it in as whoever reads it will
// see it.
func (j *Journal) append(l line) error {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode a record of %s: %w", j.path, err)
	}
	var read line
	if err := decode(text, &read); err != nil {
		return fmt.Errorf("encode a record of %s: %w", j.path, err)
	}
	return j.appendAll([]line{read}, [][]byte{text})
}

// write writes at the end, or takes back what it wrote of the text. When even
// that fails nothing more is written: it would be one line with the torn one.
func (j *Journal) write(end int64, text []byte) error {
	if j.torn != nil {
		return j.torn
	}
	_, err := j.file.Write(text)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("write %s: %w", j.path, err)
	if back := j.file.Truncate(end); back != nil {
		err = errors.Join(err, back)
		j.torn = err
	}
	return err
}

// Intend announces an op and what will undo it, and returns its number.
func (j *Journal) Intend(at Place, op Op, undo []Op) (int, error) {
	seq := len(j.Entries) + 1
	return seq, j.append(line{Intent: &intent{Seq: seq, Place: at, Op: op, Undo: undo}})
}

// Done says that an op was applied, and what it made.
func (j *Journal) Done(seq int, made []Made) error {
	return j.append(line{Done: &done{Seq: seq, Made: made}})
}

// Undone says that ops, and all that they took over, are undone.
func (j *Journal) Undone(seqs ...int) error {
	lines := make([]line, len(seqs))
	for i, seq := range seqs {
		lines[i].Undone = seq
	}
	return j.undo(lines...)
}

// StepDone says that a step was done and its checks held.
func (j *Journal) StepDone(id string, at time.Time) error {
	return j.append(line{Step: &stepEnd{ID: id, Done: true, At: at}})
}

// StepUndone says that a step is no longer done.
func (j *Journal) StepUndone(id string, at time.Time) error {
	return j.undo(line{Step: &stepEnd{ID: id, At: at}})
}

// Forgive makes Undone and StepUndone succeed where the disk is full or broken: the record
// is then known to this Journal alone. A later process that doesn't know of it
// undoes the same once more, and finds it gone, as after a kill. A lab can so be
// torn down when nothing can be written.
func (j *Journal) Forgive() { j.forgiving = true }

// Forgiving tells whether Forgive was called.
func (j *Journal) Forgiving() bool { return j.forgiving }

func (j *Journal) undo(lines ...line) error {
	err := j.appendMany(lines)
	full := errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EIO)
	if !full || !j.forgiving {
		return err
	}
	for _, l := range lines {
		if j.check(l) != nil {
			return err
		}
		j.unwritten = append(j.unwritten, l)
		j.add(l)
	}
	return nil
}

// Take hands undo ops of another lab over to an op of this one, which needs the
// same thing and will undo it in its turn. The caller holds Dir.LockShared.
func (j *Journal) Take(seq int, from string, undo []Op) error {
	return j.append(line{Take: &take{Seq: seq, From: from, Undo: undo}})
}

// Reload takes in what was added to the file: another process may have, by Take.
func (j *Journal) Reload() error {
	known := j.size
	if j.mixed {
		known = 0
	}
	data, err := readFileFrom(j.path, known)
	if err != nil {
		return err
	}
	if known > 0 {
		whole, err := j.records(data, nil)
		j.size += int64(whole)
		if err != nil {
			return fmt.Errorf("%s: %w", j.path, err)
		}
		return nil
	}
	s, _, err := parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", j.path, err)
	}
	j.State, j.size, j.mixed = *s, int64(len(data)), false
	for _, l := range j.unwritten {
		if j.check(l) == nil {
			j.add(l)
		}
	}
	return nil
}

// Remove deletes the journal, once all is undone.
func (j *Journal) Remove() error {
	if err := os.Remove(j.path); err != nil {
		return fmt.Errorf("remove the journal: %w", err)
	}
	return nil
}

// Path is the journal's file.
func (j *Journal) Path() string { return j.path }

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }

func readFile(path string) ([]byte, error) { return readFileFrom(path, 0) }

// readFileFrom leaves out what stands before an offset.
func readFileFrom(path string, offset int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	defer f.Close() // gives up the lock
	if err := owned.Plain(f); err != nil {
		return nil, fmt.Errorf("open the journal: %w: %w", err, fs.ErrPermission)
	}
	if err := flock(f, unix.LOCK_SH); err != nil {
		return nil, fmt.Errorf("lock %s: %w", filepath.Base(path), err)
	}
	if end, err := f.Seek(0, io.SeekEnd); err == nil && end < offset {
		return nil, fmt.Errorf("%s has become shorter: %w", path, ErrDamaged)
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	return data, nil
}
