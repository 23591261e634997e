package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"netlab/lab/journal"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// Errors that people can do something about are said in their language, with the
// detail that the kernel or a file gives; what helps comes as a command.
func TestErrorsAreSaidInOurLanguage(t *testing.T) {
	denied := &machine.NamespacesError{
		Knobs: []machine.Knob{{Key: "user.max_net_namespaces", Value: "0", Want: "15000"}}, Err: syscall.ENOSPC,
	}
	for _, tt := range []struct {
		name   string
		err    error
		detail string
		next   string
	}{
		{"busy", &journal.BusyError{Lab: "proxyarp", PID: "4711"}, "4711", "netlab status"},
		{"knob", fmt.Errorf("start sandbox: %w", denied), "user.max_net_namespaces", "sudo sysctl -w user.max_net_namespaces=15000"},
		{"limit", &machine.NamespacesError{Err: syscall.ENOSPC}, "no space left on device", ""},
		{"container", &machine.NamespacesError{Err: syscall.EPERM}, "operation not permitted", ""},
		{"nsenter", machine.ErrNoNsenter, "util-linux", ""},
		{"unsafe", fmt.Errorf("%w: /tmp/x has mode 0777", machine.ErrUnsafeDir), "/tmp/x has mode 0777", ""},
		{"damaged", fmt.Errorf("/run/x: %w", machine.ErrDamaged), "/run/x", ""},
		{"newer", fmt.Errorf("/run/x: %w", machine.ErrNewer), "/run/x", ""},
		{"value", scenarios.CheckLabName("Big"), `--name "Big"`, ""},
		{"never", errors.New("it should not happen"), "it should not happen", ""},
	} {
		for _, lang := range languages() {
			t.Run(tt.name+" "+lang, func(t *testing.T) {
				a := &app{}
				if err := a.speak(lang); err != nil {
					t.Fatal(err)
				}
				text, next := a.inWords(tt.err)
				if !strings.Contains(text, tt.detail) || next != tt.next {
					t.Errorf("%q, and %q", text, next)
				}
				if isChinese := regexp.MustCompile(`\p{Han}`).MatchString(text); isChinese != (lang == chinese) {
					t.Errorf("not in %s: %s", lang, text)
				}
			})
		}
	}
}

// Of several errors joined, each is said, but those that a view has shown.
func TestJoinedErrorsAreSaidOneByOne(t *testing.T) {
	var stderr bytes.Buffer
	a := &app{stderr: &stderr}
	if err := a.speak(english); err != nil {
		t.Fatal(err)
	}
	a.complain(errors.Join(
		&usageError{Text: "one", Next: "netlab help"},
		errors.Join(fmt.Errorf("%w: two", errShown), nil),
		fmt.Errorf("three: %w: %w", errors.New("four"), errors.New("five")),
		exitStatus(6),
	))
	if want := "netlab: one\n  try: netlab help\nnetlab: three: four: five\n"; stderr.String() != want {
		t.Errorf("got %q, want %q", stderr.String(), want)
	}
}

// A scenario that nobody has written down in our language is told in English.
func TestWordsFallBackToEnglish(t *testing.T) {
	w, err := (&app{lang: "xx"}).wordsOf(scenarios.ProxyARP())
	if err != nil || w.Title != "a pod whose gateway does not exist" {
		t.Errorf("%q, %v", w.Title, err)
	}
}
