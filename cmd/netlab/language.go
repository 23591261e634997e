package main

import (
	"fmt"
	"strings"

	"golang.org/x/text/language"
)

// The languages that netlab speaks, as --lang takes them. The first is for
// whoever asked for no other that is here.
const (
	english = "en"
	chinese = "zh"
)

func languages() []string { return []string{english, chinese} }

// languageVar is the environment variable that chooses the language; a netlab
// that runs another inside a sandbox hands its own on by it.
const languageVar = "NETLAB_LANG"

// wantedLanguage is the language asked for: by --lang, then NETLAB_LANG, then
// the locale (the first of its variables that is not empty, POSIX 8.2). It is
// wanted before the flags are parsed, since their help is in it. A --lang that
// means none of ours is passed over here, and refused with the other flags.
func wantedLanguage(args []string, getenv func(string) string) string {
	if lang, ok := matchLanguage(langFlag(args)); ok {
		return lang
	}
	for _, name := range []string{languageVar, "LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			lang, _ := matchLanguage(value)
			return lang
		}
	}
	return english
}

// langFlag is the last value of --lang before any "--".
func langFlag(args []string) string {
	value := ""
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if v, ok := strings.CutPrefix(arg, "--lang="); ok {
			value = v
		} else if arg == "--lang" && i+1 < len(args) {
			value = args[i+1]
		}
	}
	return value
}

// matchLanguage finds which of our languages a tag (zh-Hans) or a locale
// (zh_CN.UTF-8) means; if none, the first and false.
func matchLanguage(name string) (string, bool) {
	name, _, _ = strings.Cut(name, ".") // the encoding
	name, _, _ = strings.Cut(name, "@") // the modifier
	tag, err := language.Parse(name)
	if err != nil { // "C" and "POSIX" too
		return english, false
	}
	_, i, confidence := language.NewMatcher([]language.Tag{language.English, language.Chinese}).Match(tag)
	if confidence == language.No {
		return english, false
	}
	return languages()[i], true
}

// speak makes netlab speak a language from now on.
func (a *app) speak(lang string) error {
	c, err := readCatalog(lang)
	if err != nil {
		return err
	}
	a.lang, a.catalog, a.openings = lang, c, nil
	return nil
}

// langValue is the flag --lang, which takes only what we speak. By the time it
// is set, netlab speaks it already.
type langValue struct{ app *app }

func (v langValue) String() string {
	if v.app == nil { // pflag asks the zero value for the default
		return ""
	}
	return v.app.lang
}

func (v langValue) Type() string { return "string" }

func (v langValue) Set(name string) error {
	lang, ok := matchLanguage(name)
	if !ok {
		return fmt.Errorf("%w: %s", errNotOneOf, strings.Join(languages(), ", "))
	}
	if lang == v.app.lang {
		return nil
	}
	return v.app.speak(lang)
}
