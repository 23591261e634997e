package challenges

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"netlab/lab"
	"netlab/lab/op"
)

// The commands that docs/writing-a-challenge.md lists are known, written so.
func TestDocumentedCommandsAreKnown(t *testing.T) {
	text, err := os.ReadFile("../../docs/writing-a-challenge.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## What can break a lab")
	section, _, _ = strings.Cut(section, "\n## ")
	known := 0
	for row := range strings.Lines(section) {
		if !strings.HasPrefix(row, "| `") {
			continue
		}
		for _, m := range regexp.MustCompile("`([a-z]+ [^`]+)`").FindAllStringSubmatch(row, -1) {
			if _, err := parsePing(m[1]); err == nil {
				known++
				continue
			}
			command, err := lab.ParseCommand(m[1])
			if err == nil {
				_, err = op.Parse(command, true)
			}
			if err != nil {
				t.Error(err)
			}
			known++
		}
	}
	if known < 18 {
		t.Errorf("only %d commands are read", known)
	}
}

// The table for teachers names each challenge.
func TestDocumentedChallengesAreAll(t *testing.T) {
	text, err := os.ReadFile("../../docs/challenges.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		if !strings.Contains(string(text), "| `"+name+"` |") {
			t.Errorf("%s is not in the table for teachers", name)
		}
	}
}
