package lab

import (
	"errors"
	"fmt"
	"io/fs"
)

// shared tells whether an op is on something that other labs may need too.
func shared(o Op) bool {
	s, ok := o.(Sharer)
	return ok && s.Shared() != ""
}

// handOver gives the inverse to another lab that still needs the same thing. A
// lab that can't be asked may be one. The caller holds the shared lock, unless
// it undoes an op on something of its own.
func (u *undo) handOver(forward, o Op) (skip string, err error) {
	if !shared(forward) || !shared(o) {
		return "", nil
	}
	labs, err := u.Dir.Labs()
	if err != nil {
		return "", err
	}
	var errs []error
	for _, lab := range labs {
		if lab == u.journal.Header.Lab {
			continue
		}
		took, err := u.offer(lab, o.(Sharer))
		if err != nil {
			errs = append(errs, fmt.Errorf("ask whether lab %s needs it: %w", lab, err))
		}
		if took {
			return SkipHandedOver, nil
		}
	}
	return "", errors.Join(errs...)
}

// offer appends the inverse to the journal of a lab, if an op of it is on the
// same thing.
func (u *undo) offer(lab string, inverse Sharer) (took bool, err error) {
	other, err := u.Dir.Open(lab)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, other.Close()) }()
	var errs []error
	for _, e := range other.Open() {
		theirs, err := u.Codec.Decode(e.Op.Kind, e.Op.Op)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if s, ok := theirs.(Sharer); !ok || s.Shared() != inverse.Shared() {
			continue
		}
		encoded, err := encode([]Op{inverse})
		if err == nil {
			err = other.Take(e.Seq, u.journal.Header.Lab, encoded)
		}
		return err == nil, err
	}
	return false, errors.Join(errs...)
}
