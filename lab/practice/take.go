package practice

import (
	"time"

	"netlab/lab"
)

// News is what a look has brought.
type News struct {
	// Changed: somebody has set something since the last look.
	Changed bool
	// Nearer: more stands than before.
	Nearer bool
	// Regained: what had gone of an earlier step stands again.
	Regained bool
	// Proven: all is satisfied, for the first time.
	Proven bool
}

// Take books what a look has seen; digest is the kernel's at that time. Steps that are
// reached are by the learner, unless somebody else is named, and unless their commands
// were shown.
func (s *State) Take(v lab.Verdict, digest string, by By, now time.Time) News {
	news := News{Changed: s.Digest != "" && digest != s.Digest}
	news.Nearer = v.Next > s.Next || v.Next == s.Next && v.Stand > s.Stood
	news.Regained = v.Next > s.Next && len(v.Passed) == 0
	own := news.Changed && by == Own
	if own && len(v.Passed) == 0 && !news.Nearer && v.Next < len(s.Steps) {
		s.Steps[v.Next].Tries++
	}
	for i, p := range v.Passed {
		x := s.step(p.ID)
		if x == nil || !x.Reached.IsZero() {
			continue
		}
		if own && i == 0 { // the others came with what was typed before
			x.Tries++
		}
		if x.Begun.IsZero() {
			x.Begun = now
		}
		x.Reached = now
		switch {
		case x.By != Own:
		case by != Own:
			x.By = by
		case s.Level == Watch:
			x.By = Watched
		}
	}
	s.Digest, s.Next, s.Stood, s.Seen = digest, v.Next, v.Stand, now
	if s.Next < len(s.Steps) {
		next := &s.Steps[s.Next]
		if next.Begun.IsZero() {
			next.Begun = now
		}
		if s.Level == Watch && next.By == Own { // its commands are in view now, whatever the level later
			next.By = Watched
		}
	}
	if v.Next == len(s.Steps) && v.Missing == nil && s.Proven.IsZero() {
		s.Proven, news.Proven = now, true
	}
	return news
}

func (s *State) step(id string) *Step {
	for i := range s.Steps {
		if s.Steps[i].ID == id {
			return &s.Steps[i]
		}
	}
	return nil
}

// Ask is for one more hint of what is missing in the next step, of which there are so
// many. It returns the index of the one to show: the first, which is of the step as a
// whole, comes once; and after the last the last again, which does not count.
func (s *State) Ask(missing string, hints int) int {
	if s.Next >= len(s.Steps) || hints == 0 {
		return 0
	}
	step := &s.Steps[s.Next]
	if s.Asked != missing {
		s.Asked, s.Told = missing, 0
		if step.Hints > 0 {
			s.Told = 1
		}
	}
	if s.Told >= hints {
		return hints - 1
	}
	s.Told++
	step.Hints++
	return s.Told - 1
}

// Show marks all steps that are not reached as shown.
func (s *State) Show() {
	for i := range s.Steps {
		if s.Steps[i].Reached.IsZero() && s.Steps[i].By == Own {
			s.Steps[i].By = Solution
		}
	}
}
