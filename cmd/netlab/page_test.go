package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"netlab/lab/kernel/kerneltest"
	"netlab/scenarios"
)

// The pages in docs/scenarios are made of a scenario's words and a real run of
// it, by the templates in testdata/pages: NAME.md in English, NAME.zh.md in
// Chinese, and README.md for the list. A page's own commands are what is run, and
// their output is what it shows. `make docs` writes the pages anew; without
// -update, a page that is not what it would be now is an error.

const pagesDir = "docs/scenarios"

// TestDocsScenarioPages runs each scenario once, for the pages of all languages.
func TestDocsScenarioPages(t *testing.T) {
	for i, s := range scenarios.All() {
		t.Run(s.Name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			differs := whyOutputsDiffer(t)
			commands := pageCommands(t, fillPage(t, "scenario."+english+".md", newPage(t, i, english, nil)))
			r := runForPage(t, s, commands)
			if failed := r.failed(); len(failed) > 0 {
				t.Fatalf("these checks do not hold: %v", failed)
			}
			for _, lang := range languages() {
				text := fillPage(t, "scenario."+lang+".md", newPage(t, i, lang, &r))
				if diff := cmp.Diff(commands, pageCommands(t, text)); diff != "" {
					t.Errorf("the pages have not the same commands (-en +%s):\n%s", lang, diff)
				}
				if differs != "" {
					t.Logf("not compared: %s", differs)
					continue
				}
				keepPage(t, pageName(s.Name, lang), text)
				if lang == chinese {
					keepPage(t, chinesePicture(s.Name), r.picture(t, lang, "svg")+"\n")
				}
			}
		})
	}
}

// TestDocsScenarioList: the list has them all. Its commands are among those that
// README.md's test has run.
func TestDocsScenarioList(t *testing.T) {
	for _, lang := range languages() {
		var rows []map[string]any
		for _, s := range scenarios.All() {
			w := readPageWords(t, s.Name, lang, nil)
			rows = append(rows, map[string]any{"Name": s.Name, "Title": w.title, "Count": len(stepIDs(s))})
		}
		list := fillPage(t, "index."+lang+".md", rows)
		for _, command := range pageCommands(t, list) {
			readme := pageName("README", lang)
			if !slices.Contains(pageCommands(t, docText(t, readme)), command) {
				t.Errorf("%s does not have: %s", readme, command)
			}
		}
		keepPage(t, pageName("README", lang), list)
	}
}

// TestDocsScenarioPagesAreAllMade: in the pages' directory is nothing else.
func TestDocsScenarioPagesAreAllMade(t *testing.T) {
	var want []string
	for _, lang := range languages() {
		want = append(want, pageName("README", lang))
		for _, s := range scenarios.All() {
			want = append(want, pageName(s.Name, lang))
		}
	}
	for _, s := range scenarios.All() {
		want = append(want, chinesePicture(s.Name))
	}
	slices.Sort(want)
	var got []string
	for _, path := range scenarioPages(t) {
		got = append(got, filepath.Base(path))
	}
	if diff := cmp.Diff(want, got); diff != "" && !updatingDocs() {
		t.Errorf("%s (-want +got):\n%s", pagesDir, diff)
	}
}

// scenarioPages are the pages that there are.
func scenarioPages(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(checkout, pagesDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// page is what a template makes a page of.
type page struct {
	Name, Title, Intro string
	Previous, Next     string // the scenarios before and after it
	Home               string
	Sandboxed          bool
	Params             []pageParam
	Steps              []pageStep
	Picture, Up, Down  string
}

type pageParam struct{ Flag, Value, Default, Text string }

type pageStep struct {
	Index                                    int
	ID, Title, Goal, Why, Look, Help, Output string
	Asked                                    *pageAsked
}

// newPage is the page of the scenario at that place; without a run, what can be
// said without one: its name and what can be chosen.
func newPage(t *testing.T, at int, lang string, r *pageRun) page {
	t.Helper()
	all := scenarios.All()
	s := all[at]
	p := page{Name: s.Name, Home: s.Home(s.Defaults()), Sandboxed: s.Sandboxed}
	if at > 0 {
		p.Previous = all[at-1].Name
	}
	if at < len(all)-1 {
		p.Next = all[at+1].Name
	}
	a := pageApp(t, lang, &bytes.Buffer{})
	flags := pflag.NewFlagSet(s.Name, pflag.ContinueOnError)
	a.addParams(flags, s)
	for _, param := range s.Params {
		value, text := pflag.UnquoteUsage(flags.Lookup(param.Name))
		p.Params = append(p.Params, pageParam{param.Name, value, param.Default, strings.ReplaceAll(text, "|", `\|`)})
	}
	if r == nil {
		return p
	}
	w, parts := readPageWords(t, s.Name, lang, r.values()), r.show(t, lang)
	p.Title, p.Intro, p.Picture = w.title, w.text(""), r.picture(t, lang, "text")
	p.Up, p.Down = parts.up, parts.down
	for _, e := range parts.steps {
		p.Steps = append(p.Steps, pageStep{
			Index: e.Index, ID: e.Step, Title: scenarios.Fill(w.titles[e.Step], w.values),
			Goal: w.text(e.Step), Why: w.text(e.Step + "/why"), Look: w.text(e.Step + "/look"), Help: w.text(e.Step + "/help"),
			Output: parts.output[e.Step], Asked: w.asked(e.Step, parts.notes[e.Step]),
		})
	}
	return p
}

func pageName(name, lang string) string {
	if lang == english {
		return name + ".md"
	}
	return name + "." + lang + ".md"
}

// chinesePicture is drawn as SVG: in a browser few fonts make a Chinese character
// as wide as two others, and a frame drawn in text would be torn.
func chinesePicture(name string) string { return name + "." + chinese + ".svg" }

func fillPage(t *testing.T, name string, data any) string {
	t.Helper()
	tmpl, err := template.ParseFiles(filepath.Join("testdata", "pages", name))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := tmpl.Execute(&text, data); err != nil {
		t.Fatal(err)
	}
	filled := fillLines(regexp.MustCompile(`\n{3,}`).ReplaceAllString(text.String(), "\n\n"))
	if diff := cmp.Diff(asShown(t, text.String()), asShown(t, filled)); diff != "" {
		t.Errorf("%s: broken into lines, it is shown otherwise (-before +after):\n%s", name, diff)
	}
	if empty := regexp.MustCompile(`\{[a-z-]+\}`).FindAllString(filled, -1); len(empty) > 0 {
		t.Errorf("%s: nothing is put in the place of %v", name, empty)
	}
	return filled
}

// pageCommands are those that a reader types, in order, less what needs a person.
func pageCommands(t *testing.T, text string) []string {
	t.Helper()
	d, err := parseDocument("", text)
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, b := range d.blocks {
		if _, ok := b.mark("interactive"); ok || b.info != "console" {
			continue
		}
		for _, line := range b.text {
			commands = append(commands, strings.TrimPrefix(line, "$ "))
		}
	}
	return commands
}

// keepPage compares a page with the one that is kept, or keeps it.
func keepPage(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(checkout, pagesDir, name)
	if updatingDocs() {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v; make docs writes it", err)
		return
	}
	if diff := cmp.Diff(string(kept), text); diff != "" {
		t.Errorf("%s/%s is stale (-kept +now); make docs writes it anew:\n%s", pagesDir, name, diff)
	}
}
