package doctor

import (
	"bufio"
	"bytes"
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// line is a file's first line; empty where there is no such file, or none that
// may be read.
func line(files fs.FS, name string) string {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(first)
}

func there(files fs.FS, name string) bool {
	_, err := fs.Stat(files, name)
	return err == nil
}

// unitRuns tells whether a unit of systemd has processes: its cgroup is there as
// long, by version 2 or, beside it, version 1.
func unitRuns(files fs.FS, unit string) bool {
	for _, root := range []string{"sys/fs/cgroup", "sys/fs/cgroup/systemd", "sys/fs/cgroup/unified"} {
		if line(files, path.Join(root, "system.slice", unit, "cgroup.procs")) != "" {
			return true
		}
	}
	return false
}

// setting is one assignment of a file of systemd's form (systemd.syntax(7)), or
// of NetworkManager's, which is close enough.
type setting struct{ section, key, value string }

func settingsOf(text []byte) []setting {
	var found []setting
	section := ""
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		text := strings.TrimSpace(lines.Text())
		switch {
		case text == "" || text[0] == '#' || text[0] == ';':
		case text[0] == '[':
			section = strings.Trim(text, "[]")
		default:
			if key, value, ok := strings.Cut(text, "="); ok {
				found = append(found, setting{section, strings.TrimSpace(key), strings.TrimSpace(value)})
			}
		}
	}
	return found
}

// named is a file that was found in one of several directories.
type namedFile struct {
	path string
	text []byte
}

// inOrder are the files with that ending in the directories, by name, as systemd
// takes them: of two with the same name the one in the earlier directory counts.
func inOrder(files fs.FS, ending string, dirs ...string) []namedFile {
	var found []namedFile
	seen := map[string]bool{}
	for _, dir := range dirs {
		names, err := fs.Glob(files, path.Join(dir, "*"+ending))
		if err != nil {
			continue
		}
		for _, name := range names {
			text, err := fs.ReadFile(files, name)
			if err != nil || seen[path.Base(name)] {
				continue
			}
			seen[path.Base(name)] = true
			found = append(found, namedFile{name, text})
		}
	}
	slices.SortStableFunc(found, func(a, b namedFile) int { return cmp.Compare(path.Base(a.path), path.Base(b.path)) })
	return found
}
