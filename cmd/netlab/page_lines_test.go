package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"netlab/scenarios"
)

var (
	codeSpan = regexp.MustCompile("`[^`]+`")
	// notProse begins a line of Markdown that stays as it is: a list, a table, a
	// heading, HTML, a fence.
	notProse = regexp.MustCompile("^([-+*=|<#>]( |$|[|<!-])|</?[a-z]|\\d+[.)]( |$)|#|`{3})")
)

// fillLines breaks the paragraphs of a page into lines of 80 columns, none of them
// inside code, so that it can be read as it is. A Chinese one is left in one line:
// where it ended, a browser would show a space.
func fillLines(text string) string {
	var lines, paragraph []string
	end := func() {
		if len(paragraph) > 0 {
			lines = append(lines, proseLines(strings.Join(paragraph, " "))...)
		}
		paragraph = nil
	}
	fenced := false
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		fence := strings.HasPrefix(line, "```")
		if fence || fenced || line == "" || notProse.MatchString(line) {
			end()
			lines = append(lines, line)
			fenced = fenced != fence
			continue
		}
		paragraph = append(paragraph, line)
	}
	end()
	return strings.Join(lines, "\n") + "\n"
}

func proseLines(text string) []string {
	if regexp.MustCompile(`\p{Han}{2}`).MatchString(text) {
		return []string{text}
	}
	text = codeSpan.ReplaceAllStringFunc(text, func(code string) string {
		return strings.ReplaceAll(code, " ", scenarios.Unbroken)
	})
	var lines []string
	for _, line := range wrap(text, defaultColumns) {
		if n := len(lines); n > 0 && notProse.MatchString(line) { // what would be read as something else
			lines[n-1] += " " + line
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// asShown is a page as a code host shows it: HTML, which takes all space for one.
func asShown(t *testing.T, text string) []string {
	t.Helper()
	var page bytes.Buffer
	markdown := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	if err := markdown.Convert([]byte(text), &page); err != nil {
		t.Fatal(err)
	}
	return strings.Fields(page.String())
}

func TestFillLines(t *testing.T) {
	words := func(n int) string { return strings.TrimSpace(strings.Repeat("word ", n)) }
	for _, tt := range []struct{ name, text, want string }{
		{"short", "a\nb\n\nc", "a b\n\nc\n"},
		{"long", words(20), words(16) + "\n" + words(4) + "\n"},
		{"code is whole", words(13) + " `ip route get 192.0.2.1`", words(13) + "\n`ip route get 192.0.2.1`\n"},
		{"no list by accident", words(16) + " - 3", words(16) + " - 3\n"},
		{"bold is no list", "**Why.** a\nb", "**Why.** a b\n"},
		{"a table", "| a |\n|---|\n| b |", "| a |\n|---|\n| b |\n"},
		{"a block", "a\n```text\nx\n  y\n```\nb\nc", "a\n```text\nx\n  y\n```\nb c\n"},
		{"HTML", "<details>\n<summary>a</summary>\n\nb\n\n</details>", "<details>\n<summary>a</summary>\n\nb\n\n</details>\n"},
		{"a list", "- a\n- b", "- a\n- b\n"},
		{"Chinese", strings.Repeat("网络", 50), strings.Repeat("网络", 50) + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, fillLines(tt.text)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
