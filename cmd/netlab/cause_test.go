package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"netlab/lab/cause"
)

// Every cause has words, which name only values that the cause has.
func TestEveryCauseHasWords(t *testing.T) {
	words, err := readCatalog("en")
	if err != nil {
		t.Fatal(err)
	}
	known := cause.Known()
	for id := range known {
		if words["cause."+id] == "" {
			t.Errorf("no words for %s", id)
		}
	}
	for key, text := range words {
		id, ok := strings.CutPrefix(key, "cause.")
		values, known := known[strings.TrimSuffix(id, ".found")]
		if !ok || !known {
			continue
		}
		for _, m := range regexp.MustCompile(`\{([a-z-]+)\}`).FindAllStringSubmatch(text, -1) {
			if !slices.Contains(values, m[1]) {
				t.Errorf("%s names {%s}, which the cause doesn't have", key, m[1])
			}
		}
	}
}
