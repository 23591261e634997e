//go:build manual

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// commandTree is netlab's commands, whose words are in a language.
func commandTree(lang string) (*app, *cobra.Command, error) {
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, now: time.Now}
	if err := a.speak(lang); err != nil {
		return nil, nil, err
	}
	root := a.root()
	root.InitDefaultHelpCmd()
	return a, root, nil
}

// writePages writes a page for every command that is not hidden, in a language.
func writePages(share, lang string, date time.Time) error {
	a, root, err := commandTree(lang)
	if err != nil {
		return err
	}
	// man looks below the locale's name, and in man/man1 for all that have none.
	dir := filepath.Join(share, "man", map[string]string{english: "", chinese: "zh_CN"}[lang], "man1")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	pages := a.manPages(root, date)
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name+".1"), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeCompletions writes the completion scripts where Debian's shells look for
// them. What they offer they ask netlab for, in the language of whoever types.
func writeCompletions(share string) error {
	_, root, err := commandTree(english)
	if err != nil {
		return err
	}
	for _, of := range []struct {
		file  string
		write func(io.Writer) error
	}{
		{"bash-completion/completions/netlab", func(w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
		{"zsh/vendor-completions/_netlab", root.GenZshCompletion},
		{"fish/vendor_completions.d/netlab.fish", func(w io.Writer) error { return root.GenFishCompletion(w, true) }},
	} {
		var script bytes.Buffer
		if err := of.write(&script); err != nil {
			return err
		}
		path := filepath.Join(share, of.file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, script.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
