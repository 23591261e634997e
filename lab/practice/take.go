package practice

import (
	"slices"
	"time"

	"netlab/lab"
)

// News is what a look has brought.
type News struct {
	// Changed: somebody has set something since the last look.
	Changed bool
	// Nearer: more stands than before.
	Nearer bool
	// Vain: it was a try of the next step, and brought nothing nearer.
	Vain bool
	// Regained: what had gone of an earlier step stands again.
	Regained bool
	// Proven: all is satisfied, for the first time.
	Proven bool
}

// Look is what a look has seen besides the verdict.
type Look struct {
	Digest string // the kernel's at that time
	By     By     // who has changed it
	// Beside tells whether all that was changed is beside what a step is about; nil:
	// nothing is.
	Beside func(stepID string) bool
	// Untouched tells whether nobody has changed, since the first look, anything of what
	// a step is about of which only its checks tell; nil: somebody has.
	Untouched func(stepID string) bool
	Now       time.Time
}

// Take books what a look has seen. Steps that are reached are by the learner, unless
// somebody else is named, unless their commands were shown, and unless they came by
// themselves with something that stood before anybody had typed anything.
//
// What the learner changed is a try of the next step where it is about that and brought
// neither it nor a later one nearer, and where it satisfied it.
func (s *State) Take(v lab.Verdict, look Look) News {
	by, now := look.By, look.Now
	news := News{Changed: s.Digest != "" && look.Digest != s.Digest}
	news.Nearer = v.Next > s.Next || v.Next == s.Next && v.Stand > s.Stood || s.moreStands(v)
	news.Regained = v.Next > s.Next && len(v.Passed) == 0
	own := news.Changed && by == Own
	if own && len(v.Passed) == 0 && !news.Nearer && v.Next < len(s.Steps) && (look.Beside == nil || !look.Beside(s.Steps[v.Next].ID)) {
		s.Steps[v.Next].Tries++
		news.Vain = true
	}
	if s.Digest == "" {
		s.There = v.Stands
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
		case x.Tries == 0 && x.Hints == 0 && (s.there(p.ID) || look.Untouched != nil && look.Untouched(p.ID)):
			x.By = Found
		case s.Level == Watch:
			x.By = Watched
		}
	}
	s.Digest, s.Next, s.Stood, s.Stands, s.Seen = look.Digest, v.Next, v.Stand, v.Stands, now
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

// moreStands: of the next step or a later one more stands than at the last look.
func (s *State) moreStands(v lab.Verdict) bool {
	for i := v.Next; i < len(v.Stands) && i < len(s.Stands); i++ {
		if v.Stands[i] > s.Stands[i] {
			return true
		}
	}
	return false
}

// there tells whether a part of the step stood before anybody had typed anything.
func (s *State) there(id string) bool {
	i := slices.IndexFunc(s.Steps, func(x Step) bool { return x.ID == id })
	return i >= 0 && i < len(s.There) && s.There[i] > 0
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
