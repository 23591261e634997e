package main

import "strings"

// wrapCommand breaks a command between words, but not between an option, or one
// of ip's keywords, and its value. A block of nft that is too long, in quotes, is
// broken after its semicolons, and a script after its pipes: nft and sh take a new
// line there.
func wrapCommand(text string, width int) []string {
	var parts []string
	for _, word := range shellWords(text) {
		n := len(parts)
		broken := []string{word}
		switch {
		case columns(word) <= width:
		case strings.HasPrefix(word, "'{ "):
			broken = strings.SplitAfter(word, "; ")
		case strings.HasPrefix(word, "'"):
			broken = strings.SplitAfter(word, " | ")
		}
		if n > 0 && takesValue(parts[n-1]) && !strings.HasPrefix(word, "-") {
			parts[n-1] += " " + broken[0]
			broken = broken[1:]
		}
		parts = append(parts, broken...)
	}
	var lines []string
	for _, part := range parts {
		if n := len(lines); n > 0 && columns(lines[n-1])+1+columns(part) <= width {
			lines[n-1] += " " + strings.TrimSpace(part)
			continue
		}
		lines = append(lines, strings.TrimSpace(part))
	}
	return lines
}

// takesValue tells whether a word of a command is meaningless without the next.
func takesValue(word string) bool {
	switch word {
	case "dev", "via", "scope", "name", "type", "netns":
		return true
	}
	return strings.HasPrefix(word, "-") && !strings.Contains(word, " ")
}

// shellWords parts a command at its spaces, but not inside single quotes.
func shellWords(text string) []string {
	quoted := false
	return strings.FieldsFunc(text, func(r rune) bool {
		if r == '\'' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
}
