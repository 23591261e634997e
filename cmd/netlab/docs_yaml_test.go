package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readYAML reads the small part of YAML that our files need: mappings, lists and
// plain scalars, by their indentation, and comments. All else is an error, so a
// file that it takes means the same to every YAML reader. The values are by their
// path, such as "spec.containers.0.image".
func readYAML(text string) (map[string]string, error) {
	type level struct {
		indent int
		path   string
		items  int // of a list, so far
	}
	values := map[string]string{}
	open := []level{{indent: 0}}
	owner := "" // the key that has no value yet: what follows deeper is its own
	line := regexp.MustCompile(`^( *)((?:- )*)(?:([A-Za-z]+):)?(?: ?([^\s#"'{}\[\]&*!|>%@` + "`" + `][^#"'{}\[\]]*?))?$`)
	for i, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if strings.HasPrefix(l, "#") || l == "" {
			continue
		}
		m := line.FindStringSubmatch(l)
		if m == nil || m[3] == "" && m[2] == "" || m[3] != "" && m[4] != "" && !strings.Contains(l, ": ") {
			return nil, fmt.Errorf("line %d is not plain: %q", i+1, l)
		}
		indent, key, value := len(m[1]), m[3], m[4]
		for len(open) > 1 && open[len(open)-1].indent > indent {
			open = open[:len(open)-1]
		}
		top := &open[len(open)-1]
		switch {
		case indent > top.indent && owner != "":
			open = append(open, level{indent: indent, path: owner})
		case indent != top.indent || owner != "":
			return nil, fmt.Errorf("line %d is indented wrongly: %q", i+1, l)
		}
		top = &open[len(open)-1]
		owner = ""
		path := top.path
		if m[2] != "" {
			path += strconv.Itoa(top.items) + "."
			top.items++
			if key != "" {
				open = append(open, level{indent: indent + len(m[2]), path: path})
			} else {
				values[strings.TrimSuffix(path, ".")] = value
				continue
			}
		}
		path += key
		if _, twice := values[path]; twice {
			return nil, fmt.Errorf("line %d: %s is there twice", i+1, path)
		}
		values[path] = value
		if value == "" {
			owner = path + "."
		}
	}
	if owner != "" {
		return nil, fmt.Errorf("%s has no value", owner)
	}
	return values, nil
}

func TestReadYAML(t *testing.T) {
	got, err := readYAML("# c\na: 1\nb:\n  c: x y\n  d:\n    - e: 2\n      f: 3\n    - e: 4\n  g:\n    - h\n    - i\nj: k\n")
	want := map[string]string{
		"a": "1", "b": "", "b.c": "x y", "b.d": "", "b.d.0.e": "2", "b.d.0.f": "3", "b.d.1.e": "4",
		"b.g": "", "b.g.0": "h", "b.g.1": "i", "j": "k",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{
		"a:1", "a: 1\n  b: 2", "a:\n  b: 1\n c: 2", "\ta: 1", "a: [1]", "a: {b: 1}", "a: \"x\"", "a: 1\na: 2", "a:", "a: # x", "just text",
	} {
		if got, err := readYAML(bad); err == nil {
			t.Errorf("%q is taken: %v", bad, got)
		}
	}
}
