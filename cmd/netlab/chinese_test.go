package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// chineseTexts are all that a person reads in Chinese: by catalog key, or by file
// and line. Links' targets and commands are no Chinese.
func chineseTexts(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for key, text := range catalogOf(t, chinese) {
		texts[key] = text
	}
	files, err := filepath.Glob(filepath.Join(checkout, "scenarios", "*.zh.md"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no Chinese words of scenarios: %v", err)
	}
	for _, below := range []string{".", "docs", pagesDir, "scenarios/challenges"} {
		pages, err := filepath.Glob(filepath.Join(checkout, below, "*.zh.md"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, pages...)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fenced := false
		for i, line := range strings.Split(string(data), "\n") {
			if strings.HasPrefix(line, "```") {
				fenced = !fenced
			}
			if !fenced {
				texts[strings.TrimPrefix(path, checkout+"/")+":"+strconv.Itoa(i+1)] = line
			}
		}
	}
	return texts
}

// The typography of the Chinese texts: full-width marks, no space beside them, and
// one space between Chinese and Latin letters, digits, code and values.
func TestChineseTypography(t *testing.T) {
	rules := []struct{ what, pattern string }{
		{"no space between Chinese and Latin", `\p{Han}[A-Za-z0-9{` + "`" + `"/]|[A-Za-z0-9}` + "`" + `"]\p{Han}|\p{Han}--?[a-z]`},
		{"a half-width mark", `\p{Han}[,;:?!()]|[,;:?!()]\p{Han}`},
		{"a space beside a full-width mark", `[，。；：？！、）（] +\S|\S +[，。；：？！、）]`},
		{"a space between Chinese characters", `\p{Han} \p{Han}`},
	}
	for where, text := range chineseTexts(t) {
		text = regexp.MustCompile(`<!--.*?-->|\]\([^)]*\)`).ReplaceAllString(text, "]")
		text = regexp.MustCompile("`[^`]*`").ReplaceAllString(text, "`x`")
		text = regexp.MustCompile(` *\| *`).ReplaceAllString(text, "\n") // cells
		for _, rule := range rules {
			for _, m := range regexp.MustCompile(rule.pattern).FindAllString(text, -1) {
				t.Errorf("%s: %s: %q in %q", where, rule.what, m, text)
			}
		}
	}
}
