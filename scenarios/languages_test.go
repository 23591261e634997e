package scenarios_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/scenarios"
)

// In every language a scenario has the same headings in the same order, the same
// outcomes, the right choice in the same place, and in each text the same values.
func TestAllLanguagesSayTheSame(t *testing.T) {
	for _, s := range scenarios.All() {
		files, err := filepath.Glob(s.Name + ".*.md")
		if err != nil || len(files) < 2 {
			t.Fatalf("%s is in %v: %v", s.Name, files, err)
		}
		want := skeleton(t, s.Name+".en.md")
		for _, file := range files {
			if diff := cmp.Diff(want, skeleton(t, file)); diff != "" {
				t.Errorf("%s is not built as %s.en.md is (-en +this):\n%s", file, s.Name, diff)
			}
		}
	}
}

// skeleton is a file without its words: headings, keys of lists, and below each
// heading the values that its text names.
func skeleton(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var bones, values []string
	end := func() {
		slices.Sort(values)
		bones = append(bones, strings.Join(slices.Compact(values), " "))
		values = nil
	}
	for line := range strings.Lines(string(data)) {
		for _, pattern := range []string{
			`^#{1,2} [a-z-]+:`, `^### .*`, // a heading
			`^- [a-z-]+:`, `^- \[[ x]\]`, // an outcome, a choice
		} {
			if key := regexp.MustCompile(pattern).FindString(line); key != "" {
				end()
				bones = append(bones, key)
			}
		}
		values = append(values, regexp.MustCompile(`\{[a-z-]+\}`).FindAllString(line, -1)...)
	}
	end()
	return bones
}

// The commands that texts name are the same in every language.
func TestAllLanguagesNameTheSameCommands(t *testing.T) {
	for _, s := range scenarios.All() {
		files, err := filepath.Glob(s.Name + ".*.md")
		if err != nil {
			t.Fatal(err)
		}
		commands := func(file string) []string {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found := regexp.MustCompile("`[^`]+`").FindAllString(string(data), -1)
			slices.Sort(found)
			return slices.Compact(found)
		}
		want := commands(s.Name + ".en.md")
		for _, file := range files {
			if diff := cmp.Diff(want, commands(file)); diff != "" {
				t.Errorf("%s (-en +this):\n%s", file, diff)
			}
		}
	}
}

func TestFillWithAChineseWord(t *testing.T) {
	for _, tt := range []struct{ text, in, want string }{
		{"{in} 里没有接口", "宿主机", "宿主机里没有接口"},
		{"{in} 里没有接口", "ns1", "ns1 里没有接口"},
		{"在 {in} 里", "宿主机", "在宿主机里"},
		{"there is none in {in}", "the host", "there is none in the host"},
	} {
		if got := scenarios.Fill(tt.text, map[string]string{"in": tt.in}); got != tt.want {
			t.Errorf("%q with %q is %q, not %q", tt.text, tt.in, got, tt.want)
		}
	}
}
