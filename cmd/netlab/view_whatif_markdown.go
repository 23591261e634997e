package main

import (
	"strings"

	"netlab/scenarios"
)

// whatIfMarkdown is the matrix for a page: a table, then what its rows mean, then what
// its columns ask.
type whatIfMarkdown struct {
	*whatIfTeller
	notes []string
}

func (v *whatIfMarkdown) start(trials []trial) {
	v.raw("## " + plain(v.scenario.Name+": "+v.question(trials)))
	v.raw("")
	head, rule := "| |", "| --- |"
	for i := range v.checks {
		head += " " + letter(i) + " |"
		rule += " --- |"
	}
	v.raw(head)
	v.raw(rule)
}

func (v *whatIfMarkdown) row(r whatIfRow) {
	v.about(r)
	line := "| " + plain(r.label(v.app)) + " |"
	for i := range v.checks {
		mark := "✗"
		switch held, tried := v.held(r, i); {
		case !tried:
			mark = "·"
		case held:
			mark = "✓"
		}
		line += " " + mark + " |"
	}
	v.raw(line)
	var said []string
	for _, s := range v.meaning(r) {
		text := plain(s.mark + s.text)
		if s.command != "" {
			text = scenarios.Adjoin(text, "`"+s.command+"`") + " — " + plain(s.words)
		}
		said = append(said, "  - "+text)
	}
	if len(said) > 0 {
		v.notes = append(v.notes, "- **"+plain(r.label(v.app))+"**\n"+strings.Join(said, "\n"))
	}
}

func (v *whatIfMarkdown) end(e whatIfEnd) {
	v.about(whatIfRow{})
	v.raw("")
	for i, c := range v.checks {
		v.raw("- " + letter(i) + ": " + plain(v.asked(c)))
	}
	v.raw("")
	v.raw(plain(v.say("whatif.reading")))
	if len(v.notes) > 0 {
		v.raw("")
		v.raw(strings.Join(v.notes, "\n"))
	}
	if text := v.verdict(e); text != "" {
		v.raw("")
		v.raw(plain(text))
	}
}

// raw writes a line of any length: a page is wrapped by whoever shows it.
func (v *whatIfMarkdown) raw(text string) {
	v.paper.line(strings.ReplaceAll(text, scenarios.Unbroken, " "))
}

// plain keeps what would be Markdown from being taken for it.
func plain(text string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "<", `\<`, "`", "`").Replace(text)
}
