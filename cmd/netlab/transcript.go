package main

import (
	"errors"
	"fmt"
	"strings"

	"netlab/lab"
	"netlab/lab/machine"
	"netlab/lab/owned"
	"netlab/scenarios"
)

// transcript keeps a run as Markdown that reads as a handout: what each step is
// for, its commands, what was seen, and what had been predicted. It is written
// as the run goes, so an interrupted one is kept too. A nil transcript keeps
// nothing.
type transcript struct {
	file  *owned.File
	view  *textView // for its words and values
	fence bool      // a code block is open
	asked string    // what was asked before the step that comes
	over  bool      // the step was done by an earlier run, which has kept it
	err   error     // the first that writing had
}

// openTranscript makes the file, before anything is changed.
func openTranscript(path string) (*owned.File, error) {
	if path == "" {
		return nil, nil
	}
	// What an earlier run of the lab has kept stays, and this one's comes after it.
	f, err := owned.Append(path, 0o644)
	if err != nil {
		return nil, &usageError{Text: fmt.Sprintf("--transcript: %v", err)}
	}
	return f, nil
}

func (t *transcript) close() error {
	if t == nil {
		return nil
	}
	t.prose("")
	return errors.Join(t.err, t.file.Close())
}

func (t *transcript) write(text string) {
	text = harmless(strings.ReplaceAll(text, scenarios.Unbroken, " "))
	if _, err := t.file.WriteString(text); err != nil && t.err == nil {
		t.err = fmt.Errorf("write the transcript: %w", err)
	}
}

// prose ends a code block that is open, and writes a paragraph.
func (t *transcript) prose(text string) {
	if t.fence {
		t.write("```\n\n")
		t.fence = false
	}
	if text != "" {
		t.write(text + "\n\n")
	}
}

// code writes a line of a code block.
func (t *transcript) code(line string) {
	if !t.fence {
		t.write("```console\n")
		t.fence = true
	}
	t.write(line + "\n")
}

// also is a view that keeps what it passes on.
func (t *transcript) also(view func(lab.Event)) func(lab.Event) {
	if t == nil {
		return view
	}
	return func(e lab.Event) {
		t.keep(e)
		view(e)
	}
}

func (t *transcript) keep(e lab.Event) {
	v := t.view
	text := func(s string) string { return v.text(s, e.Values) }
	if e.Type == lab.StepStart {
		t.over = e.Phase == lab.AlreadyDone
	}
	if t.over && e.Type != lab.RunEnd {
		return
	}
	switch e.Type {
	case lab.RunStart:
		t.prose("# " + e.Lab + ": " + v.words.Title)
		t.prose(text(v.words.Intro))
		t.prose(v.fill("transcript.when", "time", e.Time.Local().Format("2006-01-02 15:04"), "where", v.fill("machine."+e.Machine, "uplink", v.values["uplink"])))
	case lab.StepStart:
		t.prose(fmt.Sprintf("## %d. %s", e.Index, text(v.step(e).Title)))
		t.prose(text(v.step(e).Goal))
		t.prose(t.asked)
		t.asked = ""
	case lab.NoteSaid:
		if e.Step == "" {
			t.prose("> " + v.app.finding(machine.Finding{ID: e.ID, Values: e.Values}))
			return
		}
		t.prose("> " + text(v.step(e).Notes[e.ID]))
	case lab.Refused:
		t.code("# " + text(v.step(e).Refusals[e.ID]))
		t.code("$ " + e.Command)
		t.code(v.fill("refused", "words", e.Error))
	case lab.OpDone:
		t.code("$ " + e.Command)
	case lab.OpFailed, lab.UndoFail:
		t.code("$ " + e.Command)
		t.code(e.Error)
	case lab.CheckDone:
		t.check(e)
	case lab.StepEnd:
		t.prose(scenarios.Adjoin(v.say("look"), text(v.step(e).Look)))
		t.prose(text(v.step(e).Why))
	case lab.RunEnd:
		t.prose("**" + v.counts(e) + "**")
	case lab.UndoStart:
		t.prose("## " + v.fill("undo.start", "lab", e.Lab))
	case lab.UndoDone:
		t.code("$ " + e.Command)
	}
}

func (t *transcript) check(e lab.Event) {
	v := t.view
	w := v.words.Check(e.Step, e.ID)
	seen, ok := w.Outcomes[e.Outcome]
	if !ok {
		seen = v.say("outcome." + e.Outcome)
	}
	mark := map[bool]string{true: "✓", false: "✗"}[*e.Holds]
	if e.Phase == lab.Before {
		mark += " " + v.say("phase.before")
	}
	t.prose(mark + " " + scenarios.Adjoin(v.text(w.Question, nil), "**"+v.text(seen, e.Values)+"**") + "  \n`" + e.Command + "`")
	t.journey(e)
}

// ask keeps a question for the step that comes, above its commands.
func (t *transcript) ask(p scenarios.Prediction) {
	if t == nil {
		return
	}
	t.asked = "**" + t.view.text(p.Question, nil) + "**\n"
	for _, c := range p.Choices {
		t.asked += "\n- " + t.view.text(c, nil)
	}
}

// answer keeps what had been predicted, what came, and why.
func (t *transcript) answer(lines ...string) {
	if t == nil {
		return
	}
	for _, l := range lines {
		t.prose(l)
	}
}

// journey keeps the way of a check's packet, as wide as a printed page takes.
func (t *transcript) journey(e lab.Event) {
	if e.Journey == nil || e.Phase != lab.After {
		return
	}
	var way strings.Builder
	j := &journeyView{app: t.view.app, paper: t.view.paperOn(&way, defaultColumns), room: defaultColumns}
	j.showJourney(*e.Journey, true)
	for line := range strings.Lines(way.String()) {
		t.code(strings.TrimRight(line, "\n"))
	}
	t.prose("")
}
