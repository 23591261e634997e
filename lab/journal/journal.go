package journal

import (
	"bytes"
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
	observe func() // see Dir.Observed; nil: nobody does
	// unwritten are records that the disk had no room for; see Forgive.
	unwritten []line
	forgiving bool
	torn      error // a record that stands there in part, and could not be taken back
}

// pageSize is the least page size; see append.
const pageSize = 4096

// append writes one record in one write. A kill between two pages could leave
// half a record, so a record that would straddle a page is pushed to the next
// one with blanks: within a page the kernel copies all or nothing
// (generic_perform_write, mm/filemap.c). A write that fell short, on a full
// disk, is taken back. The file is locked meanwhile: another process may add a
// record by Take, and whoever reads must not see a part of one.
func (j *Journal) append(l line) (err error) {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode a record of %s: %w", j.path, err)
	}
	text = append(text, '\n')
	var read line // as whoever reads it will see it
	if err := decode(text, &read); err != nil {
		return fmt.Errorf("encode a record of %s: %w", j.path, err)
	}
	if err := j.check(read); err != nil {
		return fmt.Errorf("a record that can't follow in %s: %w", j.path, err)
	}
	if j.observe != nil {
		j.observe()
		defer j.observe()
	}
	if err := flock(j.file, unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", j.path, err)
	}
	defer func() { err = errors.Join(err, flock(j.file, unix.LOCK_UN)) }()
	end, err := j.file.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("find the end of %s: %w", j.path, err)
	}
	if left := pageSize - int(end%pageSize); len(text) > left && len(text) <= pageSize {
		blanks := bytes.Repeat([]byte(" "), left)
		blanks[left-1] = '\n'
		if err := j.write(end, blanks); err != nil {
			return err
		}
		end += int64(left)
	}
	if err := j.write(end, text); err != nil {
		return err
	}
	j.add(read)
	return nil
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

// Undone says that an op, and all that it took over, is undone.
func (j *Journal) Undone(seq int) error { return j.undo(line{Undone: seq}) }

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

func (j *Journal) undo(l line) error {
	err := j.append(l)
	full := errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EIO)
	if !full || !j.forgiving || j.check(l) != nil {
		return err
	}
	j.unwritten = append(j.unwritten, l)
	j.add(l)
	return nil
}

// Take hands undo ops of another lab over to an op of this one, which needs the
// same thing and will undo it in its turn. The caller holds Dir.LockShared.
func (j *Journal) Take(seq int, from string, undo []Op) error {
	return j.append(line{Take: &take{Seq: seq, From: from, Undo: undo}})
}

// Reload reads the file again: another process may have added to it by Take.
func (j *Journal) Reload() error {
	data, err := readFile(j.path)
	if err != nil {
		return err
	}
	s, _, err := parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", j.path, err)
	}
	j.State = *s
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

func readFile(path string) ([]byte, error) {
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
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	return data, nil
}
