package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"netlab/scenarios"
)

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		width      int
		want       []string
	}{
		{name: "English", text: "a route of scope link", width: 9, want: []string{"a route", "of scope", "link"}},
		{name: "spaces are one", text: "  a   b ", width: 9, want: []string{"a b"}},
		{name: "an empty line stays", text: "a\n\nb", width: 9, want: []string{"a", "", "b"}},
		{name: "nothing", text: "", width: 9, want: []string{""}},
		{name: "a long word stands alone", text: "a net.ipv4.ip_forward b", width: 9, want: []string{"a", "net.ipv4.ip_forward", "b"}},
		{name: "a command is whole", text: "type ip\u00a0link now", width: 9, want: []string{"type", "ip link", "now"}},
		{name: "Chinese has no spaces", text: "网络命名空间", width: 8, want: []string{"网络命名", "空间"}},
		{name: "a comma begins no line", text: "网络命名，空间里", width: 8, want: []string{"网络命", "名，空", "间里"}},
		{name: "MAC", text: "网关的地址是 1e:8b:70:4e:4d:e3，正是它", width: 20, want: []string{"网关的地址是", "1e:8b:70:4e:4d:e3，", "正是它"}},
		{name: "opening", text: "网络命（名）空间里", width: 8, want: []string{"网络命", "（名）空", "间里"}},
		{name: "no orphan", text: "网络命名空间啊", width: 12, want: []string{"网络命名空", "间啊"}},
		{name: "no orphan with its stop", text: "网络命名空间。", width: 12, want: []string{"网络命名", "空间。"}},
		{name: "colour is no width", text: "\x1b[1m网络\x1b[22m命名空间", width: 8, want: []string{"\x1b[1m网络\x1b[22m命名", "空间"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, wrap(tt.text, tt.width)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever the width: no line is too wide that could be broken, none begins or
// ends with a mark that must not, no word is broken, and nothing is lost.
func TestWrapAtEveryWidth(t *testing.T) {
	for _, lang := range languages() {
		c, err := readCatalog(lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range c {
			text = strings.ReplaceAll(text, "{mac}", "1e:8b:70:4e:4d:e3")
			for width := 1; width <= 100; width++ {
				testWrapped(t, text, width)
			}
		}
	}
}

func testWrapped(t *testing.T, text string, width int) {
	t.Helper()
	whole := map[string]bool{}
	for _, p := range pieces(strings.ReplaceAll(text, "\n", " ")) {
		whole[strings.ReplaceAll(p.text, scenarios.Unbroken, " ")] = true
	}
	lines := wrap(text, width)
	for i, line := range lines {
		if columns(line) > width && !whole[line] {
			t.Errorf("width %d: %q could be broken", width, line)
		}
		first, _ := utf8.DecodeRuneInString(line)
		if i > 0 && isWide(first) && neverFirst(first) {
			t.Errorf("width %d: a line begins with %q: %q", width, first, line)
		}
		last, _ := utf8.DecodeLastRuneInString(line)
		if i < len(lines)-1 && isWide(last) && neverLast(last) {
			t.Errorf("width %d: a line ends with %q: %q", width, last, line)
		}
	}
	if diff := cmp.Diff(latinWords(text), latinWords(strings.Join(lines, "\n"))); diff != "" {
		t.Errorf("width %d: words are broken or lost (-text +lines):\n%s", width, diff)
	}
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	if got := squeeze(strings.Join(lines, "")); got != squeeze(text) {
		t.Errorf("width %d: %q became %q", width, text, lines)
	}
}

// latinWords are the runs of ASCII in a text.
func latinWords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r >= utf8.RuneSelf })
}
