package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"netlab/lab/journal"
)

// Whatever is typed, word by word: it is taken, or it is refused as a mistake in
// what was typed, in words. Nothing is run.
func FuzzCommandLine(f *testing.F) {
	for _, seed := range []string{
		"", "run", "run proxyarp --name x", "run proxyarp --pods", "trace ns1 host --tcp 80", "trace a b c d", "exec ns1 -- ls -l", "exec --", "shell -- -x",
		"teardown --all x", "-o json status", "--lang zh help run", "run proxyarp --auto 1h2", "compare ptp bridge --rounds -1", "--output=", "-vq", "run nosuch",
		"check proxyarp --gateway=1.1.1.1", "diagram --format dot", "completion bash", "help help", "doctor calico", "--no-such", "-", "--", "hold x", "list --ascii --no-color",
	} {
		f.Add(strings.ReplaceAll(seed, " ", "\n"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\n")
		if strings.HasPrefix(args[0], "__complete") || strings.ContainsRune(line, 0) {
			return // the first looks at the machine, the second can't be handed to a program
		}
		var stderr bytes.Buffer
		a := &app{args: args, stdin: &bytes.Buffer{}, stdout: io.Discard, stderr: &stderr, now: time.Now, labs: journal.At("/nonexistent")}
		if err := a.speak(wantedLanguage(args, func(string) string { return "" })); err != nil {
			t.Fatal(err)
		}
		root := a.root()
		root.InitDefaultHelpCmd()
		root.InitDefaultCompletionCmd(args...)
		hidden := idle(root)
		ran, err := root.ExecuteC()
		a.complain(err)
		if code := exitCode(err); code != exitDone && code != exitUsage && !hidden[ran] {
			t.Errorf("%q: exit status %d, %v", args, code, err)
		}
		if (err == nil) != (stderr.Len() == 0) {
			t.Errorf("%q: %v, and it says %q", args, err, stderr.String())
		}
		if i := strings.IndexFunc(stderr.String(), obeyed); i >= 0 {
			t.Errorf("%q: it says %q", args, stderr.String())
		}
	})
}

// idle makes all commands do nothing, and returns those that only netlab itself
// gives.
func idle(c *cobra.Command) map[*cobra.Command]bool {
	hidden := map[*cobra.Command]bool{c: c.Hidden}
	if c.RunE != nil || c.Run != nil {
		c.Run, c.RunE = nil, func(*cobra.Command, []string) error { return nil }
	}
	for _, sub := range c.Commands() {
		for k, v := range idle(sub) {
			hidden[k] = v
		}
	}
	return hidden
}
