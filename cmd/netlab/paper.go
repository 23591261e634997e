package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/fatih/color"
	"golang.org/x/term"
)

// The rules of what netlab prints as text:
//
//   - One thing a line, in the order it happens; nothing is painted over but how far
//     a long step is, and that on a terminal only.
//   - Prose is wrapped to the terminal, at most 100 columns; Chinese between its
//     characters. A command, an address or a MAC is never broken: a command that
//     is too long for a line goes on in the next one behind a backslash, between
//     two of its words.
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
	ascii                 bool
	terminal              bool
	painted               bool // the line that the cursor is in is to be painted over
}

// paper is where results are written. Where it is no terminal, COLUMNS says how
// wide it is.
func (a *app) paper() *paper {
	width, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || width <= 0 {
		width = defaultColumns
	}
	return a.paperOn(a.stdout, min(width, mostColumns))
}

// errPaper is where netlab speaks of itself. Where it is no terminal, each thing
// is one line, however long: programs look for it.
func (a *app) errPaper() *paper { return a.paperOn(a.stderr, math.MaxInt) }

// paperOn takes the terminal's width or, where there is none, the other.
func (a *app) paperOn(w io.Writer, columns int) *paper {
	p := &paper{
		w: w, columns: columns, ascii: a.ascii,
		bold: color.New(color.Bold), dim: color.New(color.Faint),
		green: color.New(color.FgGreen), red: color.New(color.FgRed),
	}
	colour := false
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.fit()
		p.terminal = os.Getenv("TERM") != "dumb"
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

// fit takes the terminal's width anew: people make their letters larger.
func (p *paper) fit() {
	f, ok := p.w.(*os.File)
	if !ok {
		return
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		p.columns = min(width, mostColumns)
	}
}

// plainMarks puts ASCII in the place of the marks that we write ourselves.
func plainMarks() *strings.Replacer {
	return strings.NewReplacer("✓", "+", "✗", "x", "→", ">", "←", "<", "≠", "!", "·", "-")
}

// line writes a line as it is, less what a terminal would obey.
func (p *paper) line(text string) {
	if p.ascii {
		text = plainMarks().Replace(text)
	}
	p.clear()
	fmt.Fprintln(p.w, harmless(strings.TrimRight(text, " ")))
}

// passing writes a line that the next one takes the place of, on a terminal.
func (p *paper) passing(text string) {
	if !p.terminal {
		p.line(text)
		return
	}
	p.clear()
	if columns(text) < p.columns {
		fmt.Fprint(p.w, harmless(p.dim.Sprint(text)))
		p.painted = true
	}
}

// clear takes away what passing has written.
func (p *paper) clear() {
	if p.painted {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.painted = false
	}
}

// advice writes a line that ends with a command. Where they are too long for one
// line, the command stands below what is said of it.
func (p *paper) advice(label, command string) {
	if text := label + " " + command; columns(text) <= p.columns {
		p.line(text)
		return
	}
	p.prose("", label, nil)
	p.command(indent, command)
}

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
		if i < len(lines)-1 && strings.Count(strings.Join(lines[:i+1], ""), "'")%2 == 0 {
			line += ` \` // not inside quotes, where it would be part of the word
		}
		p.line(indent + line)
	}
}
