package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWhatATerminalWouldObeyIsShown(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                           "",
		"eth0 ✓ 接口\n\tx":             "eth0 ✓ 接口\n\tx",
		"\x1b[1mbold\x1b[22m":        "\x1b[1mbold\x1b[22m",
		"\x1b[31mred\x1b[0m":         "\x1b[31mred\x1b[0m",
		"\x1b[8mhidden":              `\x1b[8mhidden`,
		"\x1b]0;title\a":             `\x1b]0;title\x07`,
		"\x1b[2J":                    `\x1b[2J`,
		"a\rb\x7f\b":                 `a\x0db\x7f\x08`,
		"\u009b2J":                   `\x9b2J`,
		"\x9b2J":                     `\x9b2J`,
		"user\u202etxt.exe":          `user\u202etxt.exe`,
		"\x1b\x1b[1m[31m":            `\x1b` + "\x1b[1m[31m",
		"replacement \ufffd as such": `replacement \ufffd as such`,
	} {
		if got := harmless(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func FuzzHarmless(f *testing.F) {
	for _, seed := range []string{"", "eth0", "\x1b[1mx\x1b[22m", "\x1b]0;x\a", "\x9b", "\u202e\ufffd", "\x1b[0\x1b[0m"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := harmless(text)
		if !utf8.ValidString(got) {
			t.Fatalf("%q is shown as %q, which is no text", text, got)
		}
		left := got
		for _, code := range []string{"0", "1", "2", "22", "31", "32", "39"} {
			left = strings.ReplaceAll(left, "\x1b["+code+"m", "")
		}
		if i := strings.IndexFunc(left, obeyed); i >= 0 {
			t.Fatalf("%q is shown as %q", text, got)
		}
		if harmless(got) != got {
			t.Fatalf("%q is shown as %q, and that as %q", text, got, harmless(got))
		}
		encoded, err := json.Marshal(map[string]string{text: text})
		if err != nil {
			t.Fatal(err)
		}
		var was, is map[string]string
		line := harmlessJSON(string(encoded))
		if strings.IndexFunc(line, obeyed) >= 0 {
			t.Fatalf("%q is written as %q", text, line)
		}
		if err := json.Unmarshal(encoded, &was); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(line), &is); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for k, v := range was {
			if is[k] != v {
				t.Fatalf("%q is written as %q, which says something else", encoded, line)
			}
		}
	})
}
