package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netlab/scenarios"
	"netlab/scenarios/challenges"
)

// glossaryTerm is a row of docs/glossary.md.
type glossaryTerm struct {
	english string
	chinese []string // any of them will do
	not     []string
	strict  bool // wherever English has it, Chinese has it
}

func glossary(t *testing.T) []glossaryTerm {
	t.Helper()
	var all []glossaryTerm
	strict := false
	for line := range strings.Lines(docText(t, "docs/glossary.md")) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			strict = strings.TrimSpace(title) == "Networking"
		}
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		if !strings.HasPrefix(line, "| ") || len(cells) != 4 || strings.TrimSpace(cells[0]) == "English" {
			continue
		}
		list := func(cell string) []string {
			return strings.FieldsFunc(strings.TrimSpace(cell), func(r rune) bool { return r == '、' })
		}
		all = append(all, glossaryTerm{strings.TrimSpace(cells[0]), list(cells[1]), list(cells[3]), strict})
	}
	if len(all) < 30 {
		t.Fatalf("only %d terms are read", len(all))
	}
	return all
}

// The Chinese texts have no other words for the glossary's terms.
func TestChineseTextsHaveNoOtherWords(t *testing.T) {
	texts := chineseTexts(t)
	for _, term := range glossary(t) {
		for _, other := range term.not {
			for where, text := range texts {
				if strings.Contains(text, other) {
					t.Errorf("%s says %q; for %q the glossary has %v", where, other, term.english, term.chinese)
				}
			}
		}
	}
}

// Where the English text has a term of networking, the Chinese has its counterpart.
func TestTextsHaveTheGlossarysTerms(t *testing.T) {
	en, zh := textsByPlace(t, english), textsByPlace(t, chinese)
	if len(en) != len(zh) {
		t.Errorf("%d texts in English, %d in Chinese", len(en), len(zh))
	}
	for _, term := range glossary(t) {
		if !term.strict {
			continue
		}
		first, rest := term.english[:1], term.english[1:]
		said := regexp.MustCompile(`(^|[^\w-])[` + first + strings.ToUpper(first) + `]` + regexp.QuoteMeta(rest) + `s?\b`)
		used := false
		for where, text := range en {
			if !said.MatchString(regexp.MustCompile("`[^`]*`|\\{[^}]*\\}|--[a-z-]+|(?m:^ *netlab .*)").ReplaceAllString(text, "")) {
				continue
			}
			if !slices.ContainsFunc(term.chinese, func(word string) bool { return strings.Contains(zh[where], word) }) {
				t.Errorf("%s: where English has %q, Chinese has none of %v:\n%s\n%s", where, term.english, term.chinese, text, zh[where])
			}
		}
		for _, text := range zh {
			used = used || slices.ContainsFunc(term.chinese, func(word string) bool { return strings.Contains(text, word) })
		}
		if !used {
			t.Errorf("nobody says any of %v", term.chinese)
		}
	}
}

// textsByPlace are a language's texts: the catalog's by key, those of scenarios
// by their headings.
func textsByPlace(t *testing.T, lang string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for key, text := range catalogOf(t, lang) {
		texts[key] = text
	}
	for _, s := range scenarios.All() {
		data, err := os.ReadFile(filepath.Join(checkout, "scenarios", s.Name+"."+lang+".md"))
		if err != nil {
			t.Fatal(err)
		}
		step, place := "", ""
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSpace(line)
			if heading, ok := strings.CutPrefix(line, "## "); ok {
				step, line, _ = strings.Cut(heading, ": ")
				place = s.Name + "/" + step
			} else if heading, ok := strings.CutPrefix(line, "### "); ok {
				place, line = s.Name+"/"+step+"/"+heading, ""
			}
			texts[place] += line + " "
		}
	}
	all, err := challenges.All(lang)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		w := c.Words
		for place, text := range map[string]string{"title": w.Title, "symptom": w.Symptom, "solution": w.Solution, "explanation": w.Explanation} {
			texts[c.Name+"/"+place] = text
		}
		for i, hint := range w.Hints {
			texts[c.Name+"/hint "+strconv.Itoa(i+1)] = hint
		}
	}
	return texts
}
