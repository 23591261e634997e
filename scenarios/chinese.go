package scenarios

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Unbroken stands in a text for a space where no line may end: inside a command.
// Whoever breaks the text into lines prints a space for it.
const Unbroken = "\u00a0"

// Adjoin puts texts behind one another: with a space between, but none between two
// Chinese characters or beside Chinese punctuation. Empty texts count for nothing.
func Adjoin(texts ...string) string {
	joined := ""
	for _, text := range texts {
		last, _ := utf8.DecodeLastRuneInString(joined)
		first, _ := utf8.DecodeRuneInString(text)
		tight := isMark(last) || isMark(first) || unicode.Is(unicode.Han, last) && unicode.Is(unicode.Han, first)
		if joined != "" && text != "" && !tight {
			joined += " "
		}
		joined += text
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
