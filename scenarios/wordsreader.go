package scenarios

import (
	"errors"
	"fmt"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

func parseWords(scenario string, source []byte) (Words, error) {
	r := wordsReader{source: source, words: Words{Steps: map[string]StepWords{}}}
	document := goldmark.DefaultParser().Parse(text.NewReader(source))
	for n := document.FirstChild(); n != nil; n = n.NextSibling() {
		if err := r.block(scenario, n); err != nil {
			return Words{}, err
		}
	}
	if r.words.Title == "" {
		return Words{}, errors.New("no title")
	}
	return r.words, nil
}

// wordsReader walks the blocks of a file and keeps the place it is at.
type wordsReader struct {
	source  []byte
	words   Words
	step    string // the step that the last `##` named
	section string // the first word of the last `###`: why, look, check, …
	id      string // the second
}

func (r *wordsReader) block(scenario string, n ast.Node) error {
	switch n := n.(type) {
	case *ast.Heading:
		return r.heading(scenario, n.Level, r.plain(n))
	case *ast.Paragraph:
		return r.paragraph(r.plain(n))
	case *ast.List:
		if r.section == "predict" {
			return r.choices(n)
		}
		return r.outcomes(n)
	}
	return fmt.Errorf("in step %q: a %s has no place here", r.step, n.Kind())
}

func (r *wordsReader) heading(scenario string, level int, title string) error {
	switch level {
	case 1:
		name, title, _ := strings.Cut(title, ": ")
		if name != scenario {
			return fmt.Errorf("the title names %q", name)
		}
		r.words.Title = title
	case 2:
		id, title, _ := strings.Cut(title, ": ")
		if _, twice := r.words.Steps[id]; twice || title == "" {
			return fmt.Errorf("step %q is there twice, or has no title", id)
		}
		r.step, r.section, r.id = id, "goal", ""
		r.words.Steps[id] = StepWords{
			Title: title, Checks: map[string]CheckWords{}, Notes: map[string]string{}, Refusals: map[string]string{},
			Predictions: map[string]Prediction{},
		}
	case 3:
		r.section, r.id, _ = strings.Cut(title, " ")
		if r.step == "" {
			return fmt.Errorf("%q stands before the first step", title)
		}
	default:
		return fmt.Errorf("heading %q is too deep", title)
	}
	return nil
}

func (r *wordsReader) paragraph(text string) error {
	if r.step == "" {
		r.words.Intro = join(r.words.Intro, text)
		return nil
	}
	s := r.words.Steps[r.step]
	switch r.section {
	case "goal":
		s.Goal = join(s.Goal, text)
	case "why":
		s.Why = join(s.Why, text)
	case "look":
		s.Look = join(s.Look, text)
	case "check":
		s.Checks[r.id] = CheckWords{Question: text, Outcomes: map[string]string{}}
	case "help":
		s.Help = join(s.Help, text)
	case "predict", "answer":
		p := s.Predictions[r.id]
		if r.section == "predict" {
			p.Question = join(p.Question, text)
		} else {
			p.Answer = join(p.Answer, text)
		}
		s.Predictions[r.id] = p
	case "note":
		s.Notes[r.id] = join(s.Notes[r.id], text)
	case "refusal":
		s.Refusals[r.id] = join(s.Refusals[r.id], text)
	default:
		return fmt.Errorf("in step %q: unknown section %q", r.step, r.section)
	}
	r.words.Steps[r.step] = s
	return nil
}

func (r *wordsReader) choices(list *ast.List) error {
	p, right := r.words.Steps[r.step].Predictions[r.id], 0
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		box, text, ok := strings.Cut(r.plain(item.FirstChild()), "] ")
		if !ok || box != "[ " && box != "[x" {
			return fmt.Errorf("in step %q: a choice is not of the form [ ] text or [x] text", r.step)
		}
		if box == "[x" {
			p.Right = len(p.Choices)
			right++
		}
		p.Choices = append(p.Choices, text)
	}
	if right != 1 {
		return fmt.Errorf("in step %q: %d choices are right, not one", r.step, right)
	}
	r.words.Steps[r.step].Predictions[r.id] = p
	return nil
}

func (r *wordsReader) outcomes(list *ast.List) error {
	c, ok := r.words.Steps[r.step].Checks[r.id]
	if !ok || r.section != "check" {
		return fmt.Errorf("in step %q: a list has its place below a check's question only", r.step)
	}
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		outcome, text, ok := strings.Cut(r.plain(item.FirstChild()), ": ")
		if !ok {
			return fmt.Errorf("check %q: an item is not of the form outcome: text", r.id)
		}
		c.Outcomes[outcome] = text
	}
	return nil
}

// plain is a block's text on one line, its emphasis and code marks left out. The
// spaces in code are Unbroken. An empty item of a list has no block.
func (r *wordsReader) plain(block ast.Node) string {
	if block == nil {
		return ""
	}
	var b strings.Builder
	_ = ast.Walk(block, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			text := string(t.Segment.Value(r.source))
			if _, code := n.Parent().(*ast.CodeSpan); code {
				text = strings.ReplaceAll(text, " ", Unbroken)
			}
			b.WriteString(text)
			if t.SoftLineBreak() || t.HardLineBreak() {
				b.WriteByte('\n')
			}
		}
		return ast.WalkContinue, nil // the function never fails, so Walk doesn't
	})
	return Adjoin(strings.Split(b.String(), "\n")...)
}

// join puts paragraphs together, with an empty line between them.
func join(before, text string) string {
	if before == "" {
		return text
	}
	return before + "\n\n" + text
}
