package kernel

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"netlab/lab/owned"
)

// FindProgram is the path of the first program of that name in the directories
// which root or we alone could have put there; others are passed over. $PATH has
// no say: it may be an ordinary user's, and the program runs as root. There being
// none is an error that wraps fs.ErrNotExist.
func FindProgram(name string, dirs ...string) (string, error) {
	for _, dir := range dirs {
		if path := filepath.Join(dir, name); owned.Program(path) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no %s in %s: %w", name, strings.Join(dirs, ":"), fs.ErrNotExist)
}
