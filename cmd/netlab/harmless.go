package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// harmless is text for a terminal, with nothing in it that the terminal would obey
// but our own colours. The kernel takes an escape character in a device's name, and
// whoever is root in a container names its devices, and its rules' comments: those
// are on the way of a packet that another user follows. What would be obeyed is
// shown instead, such as \x1b.
func harmless(text string) string {
	if strings.IndexFunc(text, obeyed) < 0 {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		if n := colour(text); n > 0 {
			b.WriteString(text[:n])
			text = text[n:]
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case !obeyed(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		text = text[size:]
	}
	return b.String()
}

// obeyed tells whether a terminal does something for a rune other than to show it:
// it is a control character (C0, DEL or C1) less the end of a line and the tab, or
// turns the direction of what follows (Unicode, Bidi_Control), or is no character.
func obeyed(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError
}

// colour is the length of the escape sequence that text begins with, if it is one
// of those that paper writes: bold, faint, red, green, and the end of them.
func colour(text string) int {
	for _, code := range []string{"0", "1", "2", "22", "31", "32", "39"} {
		if sequence := "\x1b[" + code + "m"; strings.HasPrefix(text, sequence) {
			return len(sequence)
		}
	}
	return 0
}

// harmlessJSON is encoded JSON that says the same. Its own escapes leave only what
// stands in strings to be escaped, and of that not all.
func harmlessJSON(text string) string {
	if strings.IndexFunc(text, obeyed) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if obeyed(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
