package lab

import (
	"slices"
	"strings"
)

// Blank is what stands in the place of the part of a command that is left out.
const Blank = "____"

// Blanked is the command with its one telling part left out: what a person has to
// know to write it. It is the value of the option that says what the command is for,
// the name of a sysctl, or else the last word.
func (c Command) Blanked() string {
	at := c.telling()
	if at < 0 {
		return c.String()
	}
	words := slices.Clone(c)
	if key, value, ok := strings.Cut(words[at], "="); ok && c.has("sysctl") {
		separator := "."
		if !strings.Contains(key, ".") || strings.Contains(key, "/") {
			separator = "/"
		}
		words[at] = key[:strings.LastIndex(key, separator)+1] + Blank + "=" + value
	} else {
		words[at] = Blank
	}
	return words.String()
}

func (c Command) has(word string) bool { return slices.Contains(c, word) }

// telling is the index of that word; -1: there is none.
func (c Command) telling() int {
	for _, option := range []string{"-j", "via", "scope", "master", "type"} {
		if i := slices.Index(c, option); i >= 0 && i+1 < len(c) {
			return i + 1
		}
	}
	switch {
	case len(c) < 3: // a program and a word
		return len(c) - 1
	case c.has("netns") && c.has("set"): // to where is said by the sentence; how is not
		return slices.Index(c, "netns")
	case c.has("netns") && c.has("add"):
		return slices.Index(c, "add")
	case c.has("addr") && c.has("add"):
		return slices.Index(c, "add") + 1
	}
	return len(c) - 1
}
