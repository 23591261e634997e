package challenges

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"netlab/scenarios"
)

//go:embed *.md
var files embed.FS

// original is the language of the files that have the data too.
const original = "en"

// Patience is how long to wait for each answer: longer than the kernel's own
// hesitation before a proxied ARP answer, at most 0.8 s (facts.md, section 2), and no
// more, since of a lab that is broken several checks wait in vain.
const Patience = 900 * time.Millisecond

// Names lists the challenges, the easy ones first.
func Names() []string {
	all, err := fs.Glob(files, "*."+original+".md")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	var names []string
	for _, file := range all {
		names = append(names, strings.TrimSuffix(path.Base(file), "."+original+".md"))
	}
	return names
}

// All are the challenges in a language, the easy ones first, and those of one
// scenario together.
func All(lang string) ([]Challenge, error) {
	var all []Challenge
	for _, name := range Names() {
		c, err := Load(name, lang)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	order := map[string]int{}
	for i, s := range scenarios.All() {
		order[s.Name] = i
	}
	slices.SortStableFunc(all, func(a, b Challenge) int {
		if a.Level != b.Level {
			return a.Level - b.Level
		}
		return order[a.Scenario.Name] - order[b.Scenario.Name]
	})
	return all, nil
}

// Load reads a challenge with its words in a language; where they are not written
// in it, in English. A name that none has wraps fs.ErrNotExist.
func Load(name, lang string) (Challenge, error) {
	source, err := fs.ReadFile(files, name+"."+original+".md")
	if err != nil {
		return Challenge{}, fmt.Errorf("challenge %q: %w", name, fs.ErrNotExist)
	}
	c, err := Parse(name, source)
	if err != nil || lang == original {
		return c, err
	}
	source, err = fs.ReadFile(files, name+"."+lang+".md")
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("challenge %q in %q: %w", name, lang, err)
	}
	return c.Translated(source)
}
