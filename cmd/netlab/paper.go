package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/clipperhouse/displaywidth"
	"github.com/fatih/color"
	"golang.org/x/term"
)

// The rules of what netlab prints as text:
//
//   - One thing a line, in the order it happens; nothing is painted over.
//   - Prose is wrapped to the terminal, at most 100 columns. A command, an
//     address or a MAC is never broken: a command that is too long goes on in
//     the next line behind a backslash, between two of its words.
//   - ✓ and ✗ carry the meaning, colour only repeats it. There is no colour
//     without a terminal, with NO_COLOR set, TERM=dumb or --no-color.
//   - What goes wrong says what was expected, what was found, and what to type.
//   - Results go to stdout. What netlab says about itself goes to stderr.

const (
	defaultColumns = 80
	mostColumns    = 100
)

// paper is where text is written: a width and whether there is colour.
type paper struct {
	w                     io.Writer
	columns               int
	bold, dim, green, red *color.Color
}

func (a *app) paper() *paper {
	p := &paper{
		w: a.stdout, columns: defaultColumns,
		bold: color.New(color.Bold), dim: color.New(color.Faint),
		green: color.New(color.FgGreen), red: color.New(color.FgRed),
	}
	colour := false
	if f, ok := a.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			p.columns = min(width, mostColumns)
		}
		colour = !a.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	for _, c := range []*color.Color{p.bold, p.dim, p.green, p.red} {
		if colour {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
	}
	return p
}

// line writes a line as it is.
func (p *paper) line(text string) { fmt.Fprintln(p.w, strings.TrimRight(text, " ")) }

// prose writes wrapped text behind a first mark; the lines after the first are
// indented as far as the mark is wide. ink colours the words.
func (p *paper) prose(mark, text string, ink *color.Color) {
	indent := strings.Repeat(" ", columns(mark))
	for i, line := range wrap(text, p.columns-columns(mark)) {
		if i > 0 {
			mark = indent
		}
		if ink != nil {
			line = ink.Sprint(line)
		}
		p.line(mark + line)
	}
}

// command writes a command behind its prompt.
func (p *paper) command(indent, text string) {
	const prompt, more = "$ ", "    "
	lines := wrapCommand(text, p.columns-len(indent)-len(more)-len(` \`))
	for i, line := range lines {
		if i == 0 {
			line = p.dim.Sprint(prompt) + p.bold.Sprint(line)
		} else {
			line = more + p.bold.Sprint(line)
		}
		if i < len(lines)-1 {
			line += ` \`
		}
		p.line(indent + line)
	}
}

// columns is how wide text is in a terminal, colour not counted.
func columns(text string) int {
	return displaywidth.Options{ControlSequences: true}.String(text)
}

// wrap breaks text between words into lines of at most that many columns. A
// longer word stands alone on its line, whole. An empty line stays.
func wrap(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			switch {
			case line == "":
				line = word
			case columns(line)+1+columns(word) <= width:
				line += " " + word
			default:
				lines = append(lines, line)
				line = word
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// wrapCommand breaks a command between words, but not between an option, or one
// of ip's keywords, and its value.
func wrapCommand(text string, width int) []string {
	var parts []string
	for _, word := range shellWords(text) {
		n := len(parts)
		if n > 0 && takesValue(parts[n-1]) && !strings.HasPrefix(word, "-") {
			parts[n-1] += " " + word
			continue
		}
		parts = append(parts, word)
	}
	var lines []string
	for _, part := range parts {
		if n := len(lines); n > 0 && columns(lines[n-1])+1+columns(part) <= width {
			lines[n-1] += " " + part
			continue
		}
		lines = append(lines, part)
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
