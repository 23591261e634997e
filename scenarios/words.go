package scenarios

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
)

//go:embed *.md
var files embed.FS

// Words are what is said of a scenario in one language. Texts have names in
// braces, such as {gateway}, in the place of values; see Fill.
type Words struct {
	Title string
	Intro string
	Steps map[string]StepWords // by step ID
}

// StepWords are what is said of a step. Checks and the like are by their IDs.
type StepWords struct {
	Title string
	Goal  string
	Why   string
	Look  string // what to look at in the result
	Help  string // more, for those who ask
	// Predictions are asked for before the step is run: by "", and by the ID of a
	// note where the step has that note on this machine.
	Predictions map[string]Prediction
	Checks      map[string]CheckWords
	Notes       map[string]string
	Refusals    map[string]string
}

// Prediction is a question about what a step will bring.
type Prediction struct {
	Question string
	Choices  []string
	Right    int    // the index of the right one
	Answer   string // why it is
}

// Prediction finds what to ask about a step with those notes.
func (s StepWords) Prediction(notes []string) Prediction {
	for _, id := range notes {
		if p, ok := s.Predictions[id]; ok {
			return p
		}
	}
	return s.Predictions[""]
}

// CheckWords are what is said of a check: what it asks, and what each outcome
// of its probe means.
type CheckWords struct {
	Question string
	Outcomes map[string]string
}

// Check finds a check's words: the step's own, or those of the step that the
// check has moved from on this machine.
func (w Words) Check(step, id string) CheckWords {
	if c, ok := w.Steps[step].Checks[id]; ok {
		return c
	}
	for _, s := range w.Steps {
		if c, ok := s.Checks[id]; ok {
			return c
		}
	}
	return CheckWords{}
}

var placeholder = regexp.MustCompile(`\{([a-z-]+)\}`)

// Fill puts values in the place of the names in braces; later maps win. A name
// without a value stays as it is. Where a value is a Chinese word, the spaces
// that an address would have around it go.
func Fill(text string, values ...map[string]string) string {
	filled := placeholder.ReplaceAllStringFunc(text, func(m string) string {
		name := m[1 : len(m)-1]
		for i := len(values) - 1; i >= 0; i-- {
			if v, ok := values[i][name]; ok {
				return v
			}
		}
		return m
	})
	return tighten(filled)
}

// LoadWords reads a scenario's words in a language, such as "en". A language
// that they are not written in is an error that wraps fs.ErrNotExist.
//
// The file is Markdown. `# NAME: title` comes first, then the introduction, then
// `## STEP: title` for each step with its goal below, and within a step the
// headings `### why`, `### look`, `### help`, `### check ID`, `### note ID`,
// `### refusal ID`, and `### predict` and `### answer`, which may name a note.
// Below a check stand its question and a list of `outcome: text`; below a
// prediction its question and the choices, `[ ] text`, the right one `[x] text`.
func LoadWords(scenario, lang string) (Words, error) {
	return load(scenario, lang, func(source []byte) []byte { return source })
}

// LoadOpening is LoadWords of the title and the introduction alone, without the
// steps: to list the scenarios takes a twentieth of the time.
func LoadOpening(scenario, lang string) (Words, error) {
	return load(scenario, lang, func(source []byte) []byte {
		opening, _, _ := bytes.Cut(source, []byte("\n## "))
		return opening
	})
}

func load(scenario, lang string, part func(source []byte) []byte) (Words, error) {
	source, err := fs.ReadFile(files, scenario+"."+lang+".md")
	if err != nil {
		return Words{}, fmt.Errorf("words of %s in %q: %w", scenario, lang, err)
	}
	w, err := parseWords(scenario, part(source))
	if err != nil {
		return Words{}, fmt.Errorf("words of %s in %q: %w", scenario, lang, err)
	}
	return w, nil
}
