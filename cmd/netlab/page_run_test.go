package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/scenarios"
)

// pageRun is a scenario's run in a sandbox, and the teardown after it.
type pageRun struct {
	scenario scenarios.Scenario
	setting  scenarios.Setting
	events   []lab.Event
}

// pageParts are a run as a person reads it, cut where a page goes on.
type pageParts struct {
	steps    []lab.Event            // where each begins
	output   map[string]string      // by step ID, what is printed below its goal
	notes    map[string][]lab.Event // by step ID
	up, down string
}

// runForPage types a page's commands, one after the other, as an ordinary user,
// and returns the run and the teardown that are among them.
func runForPage(t *testing.T, s scenarios.Scenario, commands []string) pageRun {
	t.Helper()
	pretendHost(t)
	k := kernel.Open()
	t.Cleanup(func() { _ = k.Close() })
	a := pageApp(t, english, &bytes.Buffer{})
	setting, err := a.sketch(k, s, s.Name, s.Defaults(), true)
	if err != nil {
		t.Fatal(err)
	}
	// The steps' own MACs are part of the lesson.
	set := map[string]bool{}
	for _, step := range s.Steps(setting) {
		for _, o := range step.All() {
			for _, mac := range macPattern.FindAllString(o.Command().String(), -1) {
				set[mac] = true
			}
		}
	}
	shell, printed := startDocShell(t, t.TempDir(), true), ""
	for _, command := range commands {
		json := strings.HasPrefix(command, "netlab run ") || strings.HasPrefix(command, "netlab teardown ")
		typed := command
		if json {
			typed += " -o json"
		}
		out, code := shell.run(typed)
		if code != 0 {
			t.Fatalf("%s: exit %d\n%s", command, code, out)
		}
		if json {
			printed += out
		}
	}
	r := pageRun{scenario: s, setting: setting}
	if r.events, err = stableEvents(printed, set); err != nil {
		t.Fatal(err)
	}
	// What is printed in a sandbox is what is to be read.
	if err := machine.SandboxMarker(s.Name).Write(); err != nil {
		t.Fatal(err)
	}
	return r
}

// pageApp is netlab in a language, printing on a page.
func pageApp(t *testing.T, lang string, page *bytes.Buffer) *app {
	t.Helper()
	a := &app{
		stdin: &bytes.Buffer{}, stdout: page, stderr: &bytes.Buffer{},
		now: ticking(), labs: journal.At(t.TempDir()), output: "text",
	}
	if err := a.speak(lang); err != nil {
		t.Fatal(err)
	}
	return a
}

// show shows the run's events in a language, by the view that `netlab run` has.
func (r pageRun) show(t *testing.T, lang string) pageParts {
	t.Helper()
	var page bytes.Buffer
	a := pageApp(t, lang, &page)
	v, err := a.textView(r.scenario, r.setting, false)
	if err != nil {
		t.Fatal(err)
	}
	p := pageParts{output: map[string]string{}, notes: map[string][]lab.Event{}}
	take := func() string {
		text := strings.Trim(page.String(), "\n")
		page.Reset()
		return text
	}
	for _, e := range r.events {
		v.show(e)
		switch e.Type {
		case lab.StepStart:
			p.steps = append(p.steps, e)
			page.Reset() // title and goal stand in the page
		case lab.NoteSaid:
			p.notes[e.Step] = append(p.notes[e.Step], e)
		case lab.StepEnd:
			p.output[e.Step] = take()
		case lab.RunEnd:
			p.up = take()
		case lab.UndoEnd:
			p.down = take()
		}
	}
	return p
}

// picture is what `netlab diagram NAME --sandbox` draws, less its title, where the
// form has it apart.
func (r pageRun) picture(t *testing.T, lang, form string) string {
	t.Helper()
	var page bytes.Buffer
	a := pageApp(t, lang, &page)
	a.quiet = true
	if err := a.diagramScenario(r.scenario, r.scenario.Defaults(), diagramOptions{format: form, sandbox: true}); err != nil {
		t.Fatal(err)
	}
	return strings.Trim(page.String(), "\n")
}

// values are what the run's words are filled with.
func (r pageRun) values() map[string]string { return r.scenario.Words(r.setting) }

// failed are the checks of the run that did not hold.
func (r pageRun) failed() []string {
	var ids []string
	for _, e := range r.events {
		if e.Type == lab.CheckDone && e.Phase == lab.After && !*e.Holds {
			ids = append(ids, e.Step+"/"+e.ID)
		}
	}
	return slices.Compact(ids)
}
