package main

import (
	"netlab/lab"
	"netlab/lab/kernel"
)

// picture shows what there is by now: after the i-th step when it is done, and
// before it otherwise.
func (s *stepper) picture(i int) error {
	if !s.ran(i) {
		i--
	}
	return s.drawAfter(s.view.paper, s.facts, s.plan.Steps, i, s.runner.Kernel)
}

// drawAfter draws what there is after the i-th step, -1 for before the first,
// with what that step has brought marked.
func (a *app) drawAfter(p *paper, facts lab.Facts, steps []lab.Step, i int, k *kernel.Kernel) error {
	pic := lab.PictureAt(facts, nil, "")
	if i >= 0 {
		pic = lab.PictureAfter(facts, steps, i)
	}
	pic, err := pic.Alive(k)
	if err != nil {
		return err
	}
	p.line("")
	a.drawText(p, pic, nil, a.ascii)
	return nil
}

// otherLanguage goes on in the other language, and says in it where we are.
func (s *stepper) otherLanguage(i int) error {
	other := chinese
	if s.lang == chinese {
		other = english
	}
	if err := s.speak(other); err != nil {
		return err
	}
	words, err := s.wordsOf(s.view.scenario)
	if err != nil {
		return err
	}
	s.view.words = words
	s.again(i)
	return nil
}
