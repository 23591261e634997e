package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"netlab/lab/owned"
)

var (
	// ErrDamaged: a state file is not what netlab writes. It is left where it is.
	ErrDamaged = errors.New("damaged state file")
	// ErrNewer: a state file was written by a newer netlab. It is left where it is.
	ErrNewer = errors.New("state file of a newer netlab")
)

// maxState bounds what is read of a state file, in bytes; they hold some 200.
const maxState = 64 << 10

// readState reads a JSON state file of a version up to the given one. A file
// that isn't there is an error that wraps fs.ErrNotExist.
func readState(path string, version int, into any) error {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		return fmt.Errorf("%s is a symbolic link: %w", path, ErrDamaged)
	}
	if err != nil {
		return fmt.Errorf("open state file: %w", err)
	}
	defer f.Close()
	if err := owned.Plain(f); err != nil {
		return fmt.Errorf("%w: %w", err, ErrDamaged)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxState))
	if err != nil {
		return fmt.Errorf("read state file: %w", err)
	}
	if err := parseState(data, version, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// parseState reads what stands in a state file.
func parseState(data []byte, version int, into any) error {
	// A newer version is told from damage by this one field alone.
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	switch {
	case head.Version > version:
		return fmt.Errorf("%w (version %d, this one knows %d)", ErrNewer, head.Version, version)
	case head.Version < 1:
		return fmt.Errorf("%w: no version", ErrDamaged)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// writeState puts a state file in place in one move, so that a reader finds
// the whole of it or nothing. Only one process may write a path at a time.
func writeState(path string, from any) error {
	data, err := json.Marshal(from)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("clear state file: %w", err)
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make state file: %w", err)
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write state file: %w", err), os.Remove(temp))
	}
	return nil
}
