package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netlab/lab"
	"netlab/scenarios"
)

// pageWords are a scenario's words in one language as Markdown, its code and
// emphasis kept; scenarios.Words has plain text, for the terminal.
type pageWords struct {
	title    string
	sections map[string][]string // paragraphs, by "", "STEP" and "STEP/predict" and the like
	titles   map[string]string   // by step ID
	values   map[string]string
}

// pageAsked is a question with its choices, for a page.
type pageAsked struct {
	Question, Right, Answer string
	Choices                 []string
}

// readPageWords reads scenarios/NAME.LANG.md, whose form is told at
// scenarios.LoadWords, and which that function has been seen to accept.
func readPageWords(t *testing.T, scenario, lang string, values map[string]string) pageWords {
	t.Helper()
	if _, err := scenarios.LoadWords(scenario, lang); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(checkout, "scenarios", scenario+"."+lang+".md"))
	if err != nil {
		t.Fatal(err)
	}
	w := pageWords{sections: map[string][]string{}, titles: map[string]string{}, values: values}
	step, section, open := "", "", false
	for line := range strings.Lines(string(source)) {
		line = strings.TrimRight(line, " \n")
		level, title, heading := strings.Cut(line, " ")
		switch {
		case heading && level == "#":
			_, w.title, _ = strings.Cut(title, ": ")
		case heading && level == "##":
			step, title, _ = strings.Cut(title, ": ")
			w.titles[step], section = title, step
		case heading && level == "###":
			section = step + "/" + title
		case line == "":
			open = false
			continue
		case open && !strings.HasPrefix(line, "- "):
			all := w.sections[section]
			all[len(all)-1] = scenarios.Adjoin(all[len(all)-1], strings.TrimSpace(line))
			continue
		default:
			w.sections[section] = append(w.sections[section], line)
			open = true
			continue
		}
		open = false
	}
	return w
}

// text is a section's paragraphs, filled.
func (w pageWords) text(section string, values ...map[string]string) string {
	var all []string
	for _, paragraph := range w.sections[section] {
		all = append(all, w.paragraph(paragraph, values...))
	}
	return strings.Join(all, "\n\n")
}

// paragraph fills a text.
func (w pageWords) paragraph(text string, values ...map[string]string) string {
	return scenarios.Fill(text, append([]map[string]string{w.values}, values...)...)
}

// asked is the prediction of a step that has those notes here; nil: none.
func (w pageWords) asked(step string, notes []lab.Event) *pageAsked {
	about, values := "", map[string]string(nil)
	for _, n := range notes {
		if _, ok := w.sections[step+"/predict "+n.ID]; ok {
			about, values = " "+n.ID, n.Values
			break
		}
	}
	paragraphs := w.sections[step+"/predict"+about]
	if len(paragraphs) == 0 {
		return nil
	}
	var question []string
	p := &pageAsked{Answer: w.text(step+"/answer"+about, values)}
	for _, text := range paragraphs {
		choice, is := strings.CutPrefix(text, "- [")
		if !is {
			question = append(question, w.paragraph(text, values))
			continue
		}
		text = w.paragraph(strings.TrimLeft(choice, "x ]"), values)
		p.Choices = append(p.Choices, text)
		if choice[0] == 'x' {
			p.Right = text
		}
	}
	p.Question = strings.Join(question, "\n\n")
	return p
}
