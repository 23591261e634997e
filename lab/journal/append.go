package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"netlab/lab/abreast"

	"golang.org/x/sys/unix"
)

// pageSize is the least page size; see appendAll.
const pageSize = 4096

// Intent is an op that is about to be applied, and what will undo it.
type Intent struct {
	Place
	Op   Op
	Undo []Op
}

// IntendAll announces ops, in one write, and returns the number of the first. What
// stands in them is JSON as encoding/json writes it.
func (j *Journal) IntendAll(ops []Intent) (first int, err error) {
	first = len(j.Entries) + 1
	lines := make([]line, len(ops))
	for i, o := range ops {
		lines[i].Intent = &intent{Seq: first + i, Place: o.Place, Op: o.Op, Undo: o.Undo}
	}
	return first, j.appendMany(lines)
}

// Applied is an op that was applied, by its number, and what it has made.
type Applied struct {
	Seq  int
	Made []Made
}

// DoneAll says, in one write, of ops that they were applied.
func (j *Journal) DoneAll(ops []Applied) error {
	lines := make([]line, len(ops))
	for i, o := range ops {
		lines[i].Done = &done{Seq: o.Seq, Made: o.Made}
	}
	return j.appendMany(lines)
}

// appendMany writes records in one write.
func (j *Journal) appendMany(lines []line) error {
	texts, err := encode(lines)
	if err != nil {
		return fmt.Errorf("encode a record of %s: %w", j.path, err)
	}
	return j.appendAll(lines, texts)
}

// encode encodes records, many of them side by side.
func encode(lines []line) ([][]byte, error) {
	texts := make([][]byte, len(lines))
	_, err := abreast.Two(len(lines), func(i int) (err error) {
		texts[i], err = json.Marshal(lines[i])
		return err
	})
	return texts, err
}

// appendAll writes records, whose texts are given, in one write. A kill between two
// pages could leave half a record, so a record that would straddle a page is pushed
// to the next one with blanks: within a page the kernel copies all or nothing
// (generic_perform_write, mm/filemap.c). A write that fell short, on a full
// disk, is taken back. The file is locked meanwhile: another process may add a
// record by Take, and whoever reads must not see a part of one.
func (j *Journal) appendAll(lines []line, texts [][]byte) (err error) {
	if len(lines) == 0 {
		return nil
	}
	taken := 0
	defer func() {
		if err != nil {
			for i := taken - 1; i >= 0; i-- {
				j.drop(lines[i])
			}
		}
	}()
	for _, l := range lines {
		if err := j.check(l); err != nil {
			return fmt.Errorf("a record that can't follow in %s: %w", j.path, err)
		}
		j.add(l)
		taken++
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
	block := paged(end, texts)
	if err := j.write(end, block); err != nil {
		return err
	}
	j.mixed = j.mixed || j.size != end
	j.size = end + int64(len(block))
	return nil
}

// paged is the texts as lines that are to stand at that offset, none across the
// border of two pages unless it is longer than one.
func paged(end int64, texts [][]byte) []byte {
	var block []byte
	for _, text := range texts {
		left := pageSize - int((end+int64(len(block)))%pageSize)
		if long := len(text) + 1; long > left && long <= pageSize {
			block = append(block, bytes.Repeat([]byte(" "), left-1)...)
			block = append(block, '\n')
		}
		block = append(append(block, text...), '\n')
	}
	return block
}

// drop takes back what was added last.
func (s *State) drop(l line) {
	switch {
	case l.Intent != nil:
		s.Entries = s.Entries[:len(s.Entries)-1]
	case l.Done != nil:
		e := &s.Entries[l.Done.Seq-1]
		e.Done, e.Made = false, nil
	case l.Undone != 0:
		s.Entries[l.Undone-1].Undone = false
	case l.Take != nil:
		e := &s.Entries[l.Take.Seq-1]
		e.Taken = e.Taken[:len(e.Taken)-len(l.Take.Undo)]
	case l.Step.Done:
		delete(s.Steps, l.Step.ID)
	default:
		s.Steps[l.Step.ID] = l.Step.At
	}
}
