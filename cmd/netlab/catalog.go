package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"netlab/scenarios"
)

//go:embed words/*.json
var words embed.FS

// catalog has what netlab itself says in one language, by key.
type catalog map[string]string

// loadCatalog reads the catalog of a language, such as "en". What it lacks, it
// has in English; a test sees to it that it lacks nothing.
func loadCatalog(lang string) (catalog, error) {
	c := catalog{}
	for _, l := range []string{english, lang} {
		own, err := readCatalog(l)
		if err != nil {
			return nil, err
		}
		for key, text := range own {
			c[key] = text
		}
	}
	return c, nil
}

// readCatalog reads what a catalog says itself. No line may end inside a command,
// which stands in backquotes.
func readCatalog(lang string) (catalog, error) {
	data, err := fs.ReadFile(words, "words/"+lang+".json")
	if err != nil {
		return nil, fmt.Errorf("words in %q: %w", lang, err)
	}
	var c catalog
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("words in %q: %w", lang, err)
	}
	code := regexp.MustCompile("`[^`]+`")
	for key, text := range c {
		if strings.Contains(text, "`") {
			c[key] = code.ReplaceAllStringFunc(text, unbroken)
		}
	}
	return c, nil
}

// say is the text of a key. A key that is missing shows itself; a test sees to
// it that none is.
func (a *app) say(key string) string {
	if text, ok := a.catalog[key]; ok {
		return text
	}
	return "[" + key + "]"
}

// fill is the text of a key with values in it: pairs of a name and its value.
func (a *app) fill(key string, pairs ...string) string {
	values := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return scenarios.Fill(a.say(key), values)
}

// list is several things in a sentence.
func (a *app) list(things []string) string { return strings.Join(things, a.say("list.and")) }
