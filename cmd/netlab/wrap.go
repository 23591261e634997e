package main

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"

	"netlab/scenarios"
)

// columns is how wide text is in a terminal, colour not counted. What may be
// one or two columns wide in East Asia (— “ ·) counts as one, whatever the locale.
func columns(text string) int {
	return displaywidth.Options{ControlSequences: true}.String(text)
}

// wrap breaks text into lines of at most that many columns: between words, and
// between Chinese characters, which have no spaces between them. What can't be
// broken stands alone on its line, whole. An empty line stays.
func wrap(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		all := pieces(paragraph)
		line, used := []piece{}, 0
		var done [][]piece
		for _, p := range all {
			wide := p.columns(len(line) == 0)
			if len(line) > 0 && used+wide > width {
				done, line, used, wide = append(done, line), nil, 0, p.columns(true)
			}
			line, used = append(line, p), used+wide
		}
		for _, l := range keepCompany(append(done, line), width) {
			lines = append(lines, textOf(l))
		}
	}
	return lines
}

// keepCompany gives a last line of a single Chinese character another one from
// the line before, if there is room for both.
func keepCompany(lines [][]piece, width int) [][]piece {
	n := len(lines) - 1
	if n < 1 || len(lines[n]) != 1 || len(lines[n-1]) < 2 {
		return lines
	}
	last, before := lines[n], lines[n-1]
	cut := len(before) - 1
	first, _ := utf8.DecodeRuneInString(last[0].text)
	alone := isWide(first) && last[0].columns(true) <= 4
	if alone && before[cut].columns(true)+last[0].columns(false) <= width {
		lines[n-1], lines[n] = before[:cut], []piece{before[cut], last[0]}
	}
	return lines
}

// piece is text that must stay on one line.
type piece struct {
	text   string
	spaced bool // a space stands before it
}

// columns is how wide a piece is, with its space where it begins no line.
func (p piece) columns(first bool) int {
	if p.spaced && !first {
		return 1 + columns(p.text)
	}
	return columns(p.text)
}

func textOf(line []piece) string {
	var b strings.Builder
	for i, p := range line {
		if p.spaced && i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(p.text)
	}
	return strings.ReplaceAll(b.String(), scenarios.Unbroken, " ")
}

// pieces parts a paragraph where a line may end. A colour's control sequence
// goes with what it follows.
func pieces(paragraph string) []piece {
	var all []piece
	for _, word := range strings.FieldsFunc(paragraph, func(r rune) bool { return r == ' ' || r == '\t' }) {
		spaced, from, before, control := true, 0, rune(0), false
		for at, r := range word {
			switch {
			case r == '\x1b':
				control = true
			case control:
				control = !unicode.IsLetter(r)
			default:
				if before != 0 && mayBreak(before, r) {
					all = append(all, piece{word[from:at], spaced})
					spaced, from = false, at
				}
				before = r
			}
		}
		all = append(all, piece{word[from:], spaced})
	}
	return all
}

// mayBreak tells whether a line may end between two characters with no space
// between them: where one is Chinese, less what the rules of Chinese line
// breaking forbid (GB/T 15834, 5.1: no line begins with a closing mark, none
// ends with an opening one). All else is words, addresses and commands.
func mayBreak(before, after rune) bool {
	return (isWide(before) || isWide(after)) && !neverFirst(after) && !neverLast(before)
}

func neverFirst(r rune) bool {
	// ， ． 。 、 ； ： ？ ！ ） 》 and the like, and their ASCII relatives.
	return strings.ContainsRune("\uff0c\uff0e\u3002\u3001\uff1b\uff1a\uff1f\uff01\uff09\uff3d\uff5d\uff05\uff5e"+
		"\u3009\u300b\u300d\u300f\u3011\u3015\u3017\u00b7\u2014\u2026\u2019\u201d"+`%,.;:?!)]}"'`, r)
}

func neverLast(r rune) bool {
	// （ 《 and the like.
	return strings.ContainsRune("\uff08\uff3b\uff5b\u3008\u300a\u300c\u300e\u3010\u3014\u3016\u2018\u201c"+`([{"'`, r)
}

// isWide tells whether a character is one of those that Chinese is written with.
func isWide(r rune) bool { return columns(string(r)) == 2 || r == '\u2014' || r == '\u2026' }
