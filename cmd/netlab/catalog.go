package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"netlab/scenarios"
)

//go:embed words/*.json
var words embed.FS

// catalog has what netlab itself says in one language, by key.
type catalog map[string]string

// entries is room for what a catalog has.
const entries = 2048

// readCatalog reads the catalog of a language, such as "en". A test sees to it that
// none lacks what another has.
func readCatalog(lang string) (catalog, error) {
	data, err := fs.ReadFile(words, "words/"+lang+".json")
	if err != nil {
		return nil, fmt.Errorf("words in %q: %w", lang, err)
	}
	c := make(catalog, entries)
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("words in %q: %w", lang, err)
	}
	for key, text := range c {
		if strings.Contains(text, "`") {
			c[key] = whole(text)
		}
	}
	return c, nil
}

// whole is a text in which no line may end inside a command, which stands in
// backquotes.
func whole(text string) string {
	parts := strings.Split(text, "`")
	for i := 1; i+1 < len(parts); i += 2 {
		parts[i] = unbroken(parts[i])
	}
	return strings.Join(parts, "`")
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
