package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/scenarios"
)

// stepper leads a person through a run: it is the run's lab.Gate, and sees its
// events on their way to the view, to be able to show them again.
type stepper struct {
	*app
	view    *textView
	runner  *lab.Runner
	plan    lab.Plan
	facts   lab.Facts
	journal *journal.Journal
	keys    *keyboard
	auto    time.Duration // 0: wait for keys

	kept      *transcript            // nil: none
	seen      map[string][]lab.Event // by step ID: what this run has shown
	predicted map[string]int         // by step ID: the index of the choice
	failed    int                    // the step that has failed, and waits; -1: none
	target    int                    // run up to this step without asking; -1: ask
}

func newStepper(a *app, view *textView, keys *keyboard, auto time.Duration) *stepper {
	return &stepper{
		app: a, view: view, keys: keys, auto: auto,
		seen: map[string][]lab.Event{}, predicted: map[string]int{}, target: -1, failed: -1,
	}
}

// show takes an event: it is kept for review, and shown.
func (s *stepper) show(e lab.Event) {
	if e.Step != "" {
		s.seen[e.Step] = append(s.seen[e.Step], e)
	}
	s.view.show(e)
}

func (s *stepper) words(i int) scenarios.StepWords { return s.view.words.Steps[s.plan.Steps[i].ID] }

// prediction is what to ask before the i-th step.
func (s *stepper) prediction(i int) scenarios.Prediction {
	var notes []string
	for _, n := range s.plan.Steps[i].Notes {
		notes = append(notes, n.ID)
	}
	return s.words(i).Prediction(notes)
}

// Before shows what the step is about to do, asks what will come of it, and
// waits to be told to go on.
func (s *stepper) Before(ctx context.Context, i int) error {
	s.failed = -1
	checks := s.plan.Steps[i].Checks
	s.view.lookAt = ""
	if len(checks) > 0 {
		s.view.lookAt = checks[len(checks)-1].ID
	}
	s.announce(i)
	s.ask(i)
	s.kept.ask(s.prediction(i))
	if i < s.target {
		return nil
	}
	s.target = -1
	return s.prompt(ctx, i, "step.prompt-run", s.choose)
}

// announce shows the step's title, its goal and its commands, not run yet.
func (s *stepper) announce(i int) {
	v, step, words := s.view, s.plan.Steps[i], s.words(i)
	v.title(i+1, len(s.plan.Steps), step.ID)
	v.prose(proseInset, v.text(words.Goal, nil), nil)
	v.line("")
	key := "step.will-run"
	switch {
	case s.ran(i):
		key = "step.was-run"
	case len(step.Refusals) == 0 && !changes(step):
		key = "step.only-looks"
	}
	v.prose(indent, s.say(key), v.dim)
	for _, r := range step.Refusals {
		v.command(indent, r.Op.Command().String())
	}
	for group, o := range step.All() {
		if !v.alike.again(lab.Event{Group: group}) {
			v.command(indent, o.Command().String())
		}
	}
	v.sameFor(lab.Planned)
}

func changes(step lab.Step) bool {
	for range step.All() {
		return true
	}
	return false
}

func (s *stepper) ask(i int) {
	v, p := s.view, s.prediction(i)
	v.line("")
	v.prose(indent+"? ", v.text(p.Question, nil), v.bold)
	for n, choice := range p.Choices {
		v.prose(indent+"  "+strconv.Itoa(n+1)+" ", v.text(choice, nil), nil)
	}
}

// choose takes a key as a prediction, if it is the number of a choice.
func (s *stepper) choose(i int, key rune) bool {
	p, n := s.prediction(i), int(key-'1')
	if n < 0 || n >= len(p.Choices) {
		return false
	}
	s.predicted[s.plan.Steps[i].ID] = n
	s.view.prose(indent, s.fill("step.you-say", "choice", s.view.text(p.Choices[n], nil)), nil)
	return true
}

// After shows what to look at, why it came so, and how that compares with what
// was predicted; then it waits.
func (s *stepper) After(ctx context.Context, i int) error {
	s.explain(i)
	said, came := s.compared(i)
	s.kept.answer(said, came, s.view.text(s.prediction(i).Answer, nil))
	if i < s.target {
		return nil
	}
	key := "step.prompt-next"
	if i == len(s.plan.Steps)-1 {
		key = "step.prompt-end"
	}
	return s.prompt(ctx, i, key, nil)
}

func (s *stepper) explain(i int) {
	v, words, p := s.view, s.words(i), s.prediction(i)
	v.line("")
	v.prose(indent+v.bold.Sprint("→")+" ", scenarios.Adjoin(s.say("look"), v.text(words.Look, nil)), nil)
	v.line("")
	v.prose(proseInset, v.text(words.Why, nil), nil)
	v.line("")
	said, came := s.compared(i)
	mark := indent
	if n, made := s.predicted[s.plan.Steps[i].ID]; made && !s.moot(i) {
		mark = v.mark(n == p.Right)
		if n != p.Right {
			mark = indent + "≠ "
		}
	}
	if said != "" {
		v.prose(mark, said, nil)
		mark = indent + "  "
	}
	v.prose(mark, came, nil)
	v.prose(proseInset, v.text(p.Answer, nil), nil)
}

// compared is what was predicted of the i-th step, if anything, and what came.
func (s *stepper) compared(i int) (said, came string) {
	p := s.prediction(i)
	right := s.view.text(p.Choices[p.Right], nil)
	n, made := s.predicted[s.plan.Steps[i].ID]
	if s.moot(i) {
		return "", s.fill("step.prediction-moot", "right", right)
	}
	if made && n == p.Right {
		return "", s.fill("step.prediction-right", "right", right)
	}
	if made {
		said = s.fill("step.prediction-wrong", "said", s.view.text(p.Choices[n], nil))
	}
	return said, s.fill("step.prediction-was", "right", right)
}

// moot tells whether the machine had the i-th step's effect before it, so that
// nothing could be seen of what was asked.
func (s *stepper) moot(i int) bool {
	for _, e := range s.seen[s.plan.Steps[i].ID] {
		if e.Type == lab.CheckDone && e.Phase == lab.Before && *e.Holds {
			return true
		}
	}
	return false
}

// ran tells whether the i-th step's commands have been run.
func (s *stepper) ran(i int) bool {
	_, done := s.journal.Steps[s.plan.Steps[i].ID]
	return done || i == s.failed
}

// Failed lets the person look around, and try the step again.
func (s *stepper) Failed(ctx context.Context, i int, _ error) (again bool, err error) {
	if s.auto > 0 {
		return false, nil
	}
	s.failed = i
	err = s.prompt(ctx, i, "step.prompt-failed", nil)
	if errors.Is(err, lab.ErrQuit) {
		return false, nil
	}
	return err == nil, err
}
