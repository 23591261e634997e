package scenarios

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Unbroken stands in a text for a space where no line may end: inside a command.
// Whoever breaks the text into lines prints a space for it.
const Unbroken = "\u00a0"

// unfold joins the lines of a paragraph: with a space, but none between two
// Chinese characters or beside Chinese punctuation.
func unfold(paragraph string) string {
	joined := ""
	for line := range strings.SplitSeq(paragraph, "\n") {
		last, _ := utf8.DecodeLastRuneInString(joined)
		first, _ := utf8.DecodeRuneInString(line)
		tight := isMark(last) || isMark(first) || unicode.Is(unicode.Han, last) && unicode.Is(unicode.Han, first)
		if joined != "" && line != "" && !tight {
			joined += " "
		}
		joined += line
	}
	return joined
}

// tighten takes out the spaces between two Chinese characters.
func tighten(text string) string {
	var b strings.Builder
	var last rune
	for i, r := range text {
		if r == ' ' && unicode.Is(unicode.Han, last) {
			if next, _ := utf8.DecodeRuneInString(text[i+1:]); unicode.Is(unicode.Han, next) {
				continue
			}
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

// EndsWide tells whether a text ends with Chinese punctuation, behind which no
// space is wanted.
func EndsWide(text string) bool {
	last, _ := utf8.DecodeLastRuneInString(text)
	return isMark(last)
}

// isMark tells the punctuation of Chinese: the block of that name and the
// full-width forms.
func isMark(r rune) bool { return r >= 0x3000 && r <= 0x303f || r >= 0xff01 && r <= 0xff60 }
