package main

// picture shows what there is after the i-th step.
func (s *stepper) picture(i int) { s.view.prose(indent, s.plan.Steps[i].ID, nil) }

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
	if _, done := s.journal.Steps[s.plan.Steps[i].ID]; !done {
		s.ask(i)
	}
	return nil
}
