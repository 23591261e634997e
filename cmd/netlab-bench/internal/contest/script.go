package contest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// script is the commands that netlab prints, run by bash one after the other, or
// through `ip -batch`.
type script struct {
	Bed
	batch bool
}

func (s *script) path() string { return filepath.Join(s.Dir, "do.sh") }

func (s *script) Prepare() error {
	text, err := exec.Command(s.Netlab, "script", s.Lab, "--pods", strconv.Itoa(s.Pods)).Output()
	if err != nil {
		return fmt.Errorf("netlab script: %w", err)
	}
	if s.batch {
		b, err := newBatches(string(text))
		if err != nil {
			return err
		}
		return b.write(s.Dir, s.path())
	}
	return os.WriteFile(s.path(), text, 0o600)
}

func (s *script) Build() (Usage, error) { return run("bash", s.path()) }

// Undo leaves it to whoever drops the bed: by bash it would take a minute.
func (s *script) Undo() error { return nil }
