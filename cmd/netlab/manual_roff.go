//go:build manual

package main

import (
	"fmt"
	"strings"

	"netlab/scenarios"
)

// roff is a man page being written, in man(7)'s macros, in UTF-8.
type roff struct {
	strings.Builder
	fresh bool // a section has begun, and nothing is in it
}

// plainText is text in which roff finds no commands. A minus stays a minus when
// it is copied out of the page, and a quote a quote (man(7), "Characters").
func plainText(text string) string {
	text = strings.NewReplacer(
		`\`, `\(rs`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`,
		scenarios.Unbroken, `\ `, breakHere, `\:`,
	).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

// breakHere stands in a text where a line may end although there is no space;
// roff knows of no such places between Chinese characters.
const breakHere = "\u200b"

// breakable is a text with those places marked.
func breakable(text string) string {
	var b strings.Builder
	before := ' '
	for _, r := range text {
		if before != ' ' && r != ' ' && mayBreak(before, r) {
			b.WriteString(breakHere)
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}

func bold(text string) string   { return `\fB` + plainText(text) + `\fR` }
func italic(text string) string { return `\fI` + plainText(text) + `\fR` }

func (r *roff) macro(name string, args ...string) {
	r.WriteString("." + name)
	for _, arg := range args {
		r.WriteString(` "` + arg + `"`)
	}
	r.WriteString("\n")
}

// title begins the page. Its first line names the encoding for man-db, which
// would guess it of the directory's name (man(1), manconv(1)).
func (r *roff) title(name, date, source, book string) {
	r.WriteString(`'\" -*- coding: UTF-8 -*-` + "\n")
	r.macro("TH", plainText(name), "1", date, plainText(source), plainText(book))
	r.WriteString(".nh\n.ad l\n") // no word is divided, no line is stretched
}

func (r *roff) section(name string) {
	r.macro("SH", plainText(name))
	r.fresh = true
}

// begin begins a paragraph; the first of a section is begun already.
func (r *roff) begin() {
	if !r.fresh {
		r.macro("PP")
	}
	r.fresh = false
}

func (r *roff) text(text string) { r.WriteString(plainText(text) + "\n") }

func (r *roff) paragraph(text string) {
	r.begin()
	r.WriteString(inline(text) + "\n")
}

// inline is a text with its commands, which stand in backquotes, in bold.
func inline(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			b.WriteString(bold(part))
		} else if part != "" {
			b.WriteString(plainText(breakable(part)))
		}
	}
	return b.String()
}

// usage writes a line of usage: the command in bold, what it takes in italics.
func (r *roff) usage(line, command string) {
	r.begin()
	r.WriteString(bold(command))
	if takes := strings.TrimSpace(strings.TrimPrefix(line, command)); takes != "" {
		r.WriteString(" " + italic(takes))
	}
	r.WriteString("\n")
}

// item writes a name, what it takes, and below it a text.
func (r *roff) item(name, value, text string) {
	tag := bold(name)
	if value != "" {
		tag += " " + italic(value)
	}
	r.WriteString(".TP\n" + tag + "\n" + inline(text) + "\n")
}

// verbatim writes lines as they are.
func (r *roff) verbatim(lines []string) {
	r.begin()
	r.WriteString(".RS 4\n.nf\n")
	for _, line := range lines {
		r.text(line)
	}
	r.WriteString(".fi\n.RE\n")
}

// references writes pages: their names and sections.
func (r *roff) references(pages [][2]string) {
	var all []string
	for _, page := range pages {
		all = append(all, fmt.Sprintf(`%s(%s)`, bold(page[0]), page[1]))
	}
	r.WriteString(strings.Join(all, ",\n") + "\n")
}
