package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// aside is how the name of a journal that was set aside goes on after its lab's.
const aside = suffix + ".damaged"

// Salvage opens a damaged journal with every record in it that is whole and still
// has a meaning, before the damage and behind it: each names what it is about by
// identity. Header.Lost counts the lines without. The file as it was stays beside
// it as Header.Aside. A journal that is not damaged is opened. The caller holds the
// lab's lock.
func (d Dir) Salvage(lab string) (*Journal, error) {
	if err := checkName(lab); err != nil {
		return nil, err
	}
	if err := d.safe(); err != nil {
		return nil, err
	}
	data, err := readFile(d.file(lab))
	if err != nil {
		return nil, err
	}
	s, _, err := d.parse(lab, data)
	if !errors.Is(err, ErrDamaged) {
		return d.Open(lab)
	}
	if s.Header.Version == 0 || s.Header.Lab != lab {
		return nil, err
	}
	kept, lost := salvage(data)
	h := s.Header
	h.Lost += lost
	if err := d.put(data, func(new string) (err error) {
		h.Aside, err = linkFree(new, strings.TrimSuffix(d.file(lab), suffix)+aside)
		return err
	}); err != nil {
		return nil, fmt.Errorf("set the damaged journal aside: %w", err)
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encode the journal's header: %w", err)
	}
	text = append(append(text, '\n'), kept...)
	if err := d.put(text, func(new string) error { return os.Rename(new, d.file(lab)) }); err != nil {
		return nil, fmt.Errorf("keep what is whole of the journal: %w", err)
	}
	return d.Open(lab)
}

// linkFree gives a file a second name, with a number behind it if there is one
// already, and returns it.
func linkFree(file, name string) (string, error) {
	free := name
	for n := 2; ; n++ {
		err := os.Link(file, free)
		if err == nil || !errors.Is(err, os.ErrExist) {
			return free, err
		}
		free = fmt.Sprintf("%s-%d", name, n)
	}
}

// salvage is the text of the records that have a meaning, behind the header, with
// the ops numbered anew, and how many lines have none.
func salvage(data []byte) (kept []byte, lost int) {
	s := &State{Steps: map[string]time.Time{}}
	renumbered := map[int]int{}
	for i, text := range bytes.SplitAfter(data, []byte("\n")) {
		if i == 0 || len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		var l line
		if decode(text, &l) != nil || !l.renumber(renumbered, len(s.Entries)+1) || s.check(l) != nil {
			lost++
			continue
		}
		whole, err := json.Marshal(l)
		if err != nil {
			lost++
			continue
		}
		s.add(l)
		kept = append(append(kept, whole...), '\n')
	}
	return kept, lost
}

// renumber gives the record's op the number that it has now. A new op gets the
// next; what speaks of an op that was lost has no meaning.
func (l *line) renumber(now map[int]int, next int) (known bool) {
	var seq *int
	switch {
	case l.Intent != nil:
		if _, twice := now[l.Intent.Seq]; twice {
			return false
		}
		now[l.Intent.Seq] = next
		seq = &l.Intent.Seq
	case l.Done != nil:
		seq = &l.Done.Seq
	case l.Take != nil:
		seq = &l.Take.Seq
	case l.Undone != 0:
		seq = &l.Undone
	default:
		return true
	}
	*seq, known = now[*seq]
	return known
}

// Aside lists the damaged journals that were set aside, each with its lab's name.
func (d Dir) Aside() (map[string]string, error) {
	entries, err := d.entries()
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, e := range entries {
		if lab, _, ok := strings.Cut(e.Name(), aside); ok && checkName(lab) == nil {
			files[filepath.Join(d.path, e.Name())] = lab
		}
	}
	return files, nil
}
