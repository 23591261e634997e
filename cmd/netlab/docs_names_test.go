package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsNameTestsThatExist: what a document says is tested by a test, is.
func TestDocsNameTestsThatExist(t *testing.T) {
	var tests []byte
	err := filepath.WalkDir(checkout, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		tests = append(tests, source...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(checkout, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		rel, err := filepath.Rel(checkout, path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`).FindAllString(docText(t, rel), -1) {
			if !bytes.Contains(tests, []byte("\nfunc "+name+"(")) {
				t.Errorf("%s: there is no %s", rel, name)
			}
		}
	}
}
