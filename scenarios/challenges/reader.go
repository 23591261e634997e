package challenges

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"netlab/scenarios"
)

// Parse reads a challenge's file. The error says what is wrong with it.
func Parse(name string, source []byte) (Challenge, error) {
	r := reader{source: source, c: Challenge{Name: name}}
	err := r.read()
	if err == nil {
		err = r.complete()
	}
	if err != nil {
		return Challenge{}, fmt.Errorf("challenge %q: %w", name, err)
	}
	r.c.Words = r.words
	return r.c, nil
}

// Translated is the challenge with the words of a file that has nothing else.
func (c Challenge) Translated(source []byte) (Challenge, error) {
	r := reader{source: source, c: Challenge{Name: c.Name}, wordsOnly: true}
	if err := r.read(); err != nil {
		return c, fmt.Errorf("translation of challenge %q: %w", c.Name, err)
	}
	if len(r.words.Hints) != len(c.Hints) || len(r.words.Checks) != len(c.Checks) ||
		r.words.Symptom == "" || r.words.Explanation == "" || r.words.Title == "" {
		return c, fmt.Errorf("translation of challenge %q: it has not what the English has", c.Name)
	}
	c.Words = r.words
	return c, nil
}

// reader walks the blocks of a file and keeps the place it is at.
type reader struct {
	source    []byte
	wordsOnly bool
	c         Challenge
	words     Words
	section   string // the first word of the last `##`
	id        string // of the check that it names
}

func (r *reader) read() error {
	r.words.Checks = map[string]scenarios.CheckWords{}
	document := goldmark.DefaultParser().Parse(text.NewReader(r.source))
	for n := document.FirstChild(); n != nil; n = n.NextSibling() {
		if err := r.block(n); err != nil {
			return fmt.Errorf("in %q: %w", r.section, err)
		}
	}
	return nil
}

func (r *reader) block(n ast.Node) error {
	switch n := n.(type) {
	case *ast.Heading:
		return r.heading(n.Level, r.plain(n))
	case *ast.Paragraph:
		return r.paragraph(r.plain(n))
	case *ast.List:
		for item := n.FirstChild(); item != nil; item = item.NextSibling() {
			key, value, ok := strings.Cut(r.plain(item.FirstChild()), ": ")
			if !ok {
				return errors.New("an item is not of the form name: value")
			}
			if err := r.item(key, value); err != nil {
				return err
			}
		}
		return nil
	case *ast.FencedCodeBlock:
		return r.code(n)
	}
	return fmt.Errorf("a %s has no place here", n.Kind())
}

func (r *reader) heading(level int, title string) error {
	switch level {
	case 1:
		name, title, _ := strings.Cut(title, ": ")
		if name != r.c.Name {
			return fmt.Errorf("the title names %q", name)
		}
		r.words.Title = title
		return nil
	case 2:
		var rest string
		r.section, rest, _ = strings.Cut(title, " ")
		switch r.section {
		case "symptom", "broken", "keep", "solution", "explanation":
			return nil
		case "hint":
			r.words.Hints = append(r.words.Hints, "")
			r.c.Hints = append(r.c.Hints, Proof{})
			return nil
		case "check":
			id, question, ok := strings.Cut(rest, ": ")
			if !ok {
				return errors.New("a check's heading is `check ID: question`")
			}
			r.id = id
			r.words.Checks[id] = scenarios.CheckWords{Question: question, Outcomes: map[string]string{}}
			r.c.Checks = append(r.c.Checks, Check{ID: id})
			return nil
		}
	}
	return fmt.Errorf("no heading %q is known", title)
}

func (r *reader) paragraph(text string) error {
	into := map[string]*string{
		"symptom": &r.words.Symptom, "solution": &r.words.Solution, "explanation": &r.words.Explanation,
	}[r.section]
	if r.section == "hint" {
		into = &r.words.Hints[len(r.words.Hints)-1]
	}
	if into == nil {
		return errors.New("no text has its place here")
	}
	if *into != "" {
		text = *into + "\n\n" + text
	}
	*into = text
	return nil
}

func (r *reader) item(key, value string) error {
	switch {
	case r.section == "check":
		r.words.Checks[r.id].Outcomes[key] = value
		return nil
	case r.wordsOnly:
		return fmt.Errorf("%q stands in the English file", key)
	case r.section == "symptom" && key == "fails":
		r.c.Fails = strings.Fields(value)
		return nil
	case r.section == "symptom" && key == "last":
		r.c.Last = strings.Fields(value)
		return nil
	case r.section != "":
	case key == "scenario":
		var known bool
		if r.c.Scenario, known = scenarios.Named(value); !known {
			return fmt.Errorf("no scenario %q is known", value)
		}
		r.c.Sandboxed = r.c.Sandboxed || r.c.Scenario.Sandboxed
		return nil
	case key == "level":
		var err error
		if r.c.Level, err = strconv.Atoi(value); err != nil || r.c.Level < 1 || r.c.Level > 3 {
			return errors.New("a level is 1, 2 or 3")
		}
		return nil
	case key == "needs" && value == "iptables":
		r.c.Iptables = true
		return nil
	case key == "needs" && value == "sandbox":
		r.c.Sandboxed = true
		return nil
	}
	return fmt.Errorf("nobody asks for %q", key)
}

func (r *reader) code(n *ast.FencedCodeBlock) error {
	if r.wordsOnly {
		return errors.New("commands stand in the English file")
	}
	var lines []string
	for i := range n.Lines().Len() {
		segment := n.Lines().At(i)
		if line := strings.TrimSpace(string(segment.Value(r.source))); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return errors.New("a block is empty")
	}
	switch r.section {
	case "broken":
		r.c.Broken = append(r.c.Broken, lines...)
	case "keep":
		r.c.Keep = append(r.c.Keep, lines...)
	case "solution":
		r.c.Solution = append(r.c.Solution, lines...)
	case "check":
		r.c.Checks[len(r.c.Checks)-1].Command = lines[0]
	case "hint", "symptom":
		command, ok := strings.CutPrefix(lines[0], "$ ")
		if !ok || len(lines) < 2 {
			return errors.New("what shows a text to be true is a command behind `$ `, and what it prints")
		}
		proof := Proof{Command: command, Shows: lines[1:]}
		if r.section == "symptom" {
			r.c.Claims = append(r.c.Claims, proof)
		} else {
			r.c.Hints[len(r.c.Hints)-1] = proof
		}
	default:
		return errors.New("no commands have their place here")
	}
	return nil
}

// complete makes sure that nothing is missing.
func (r *reader) complete() error {
	for what, there := range map[string]bool{
		"title": r.words.Title != "", "scenario": r.c.Scenario.Name != "", "level": r.c.Level != 0,
		"symptom": r.words.Symptom != "", "fails": len(r.c.Fails) > 0, "broken": len(r.c.Broken) > 0,
		"hint": len(r.c.Hints) > 0, "solution": len(r.c.Solution) > 0, "explanation": r.words.Explanation != "",
	} {
		if !there {
			return fmt.Errorf("it has no %s", what)
		}
	}
	for i, h := range r.words.Hints {
		if h == "" {
			return fmt.Errorf("hint %d says nothing", i+1)
		}
		if r.c.Hints[i].Command == "" {
			return fmt.Errorf("hint %d has no block that shows it to be true", i+1)
		}
	}
	return nil
}

var softBreak = regexp.MustCompile(`\s*\n\s*`)

// plain is a block's text on one line, its marks left out. The spaces in code are
// scenarios.Unbroken.
func (r *reader) plain(block ast.Node) string {
	if block == nil {
		return ""
	}
	var b strings.Builder
	_ = ast.Walk(block, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			text := string(t.Segment.Value(r.source))
			if _, code := n.Parent().(*ast.CodeSpan); code {
				text = strings.ReplaceAll(text, " ", scenarios.Unbroken)
			}
			b.WriteString(text)
			if t.SoftLineBreak() || t.HardLineBreak() {
				b.WriteByte('\n')
			}
		}
		return ast.WalkContinue, nil // the function never fails, so Walk doesn't
	})
	return scenarios.Adjoin(softBreak.Split(b.String(), -1)...)
}
