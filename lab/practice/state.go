// Package practice keeps how somebody gets on who builds a plan's lab by hand: which
// steps were reached, when, in how many tries and with how much help. It looks at
// nothing itself: lab.Plan.Judge does.
package practice

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"netlab/lab/owned"
)

// Version is the version of the file that Save writes.
const Version = 1

// ErrVersion: the file is not of a version that this program knows.
var ErrVersion = errors.New("not a version that this netlab knows")

// Level is how much is shown without being asked for.
type Level string

// The levels, the most help first.
const (
	Watch Level = "watch" // the commands
	Fill  Level = "fill"  // the commands, each with a part left out
	Solo  Level = "solo"  // what is to be reached
)

// Levels are all of them.
func Levels() []Level { return []Level{Watch, Fill, Solo} }

// By is who satisfied a step, or who could have.
type By string

// A step is the learner's own doing, unless:
const (
	Own      By = ""
	Watched  By = "watched"  // its commands were in view
	Skipped  By = "skipped"  // netlab did it
	Solution By = "solution" // its commands were shown
	Found    By = "there"    // it came by itself with what stood before anybody typed
)

// Step is what is known of one step.
type Step struct {
	ID string `json:"id"`
	// Begun is when it became the next one, Reached when it was satisfied first; zero:
	// not yet.
	Begun   time.Time `json:"begun,omitzero"`
	Reached time.Time `json:"reached,omitzero"`
	// Tries counts the commands that changed something of what the step is about and
	// brought neither it nor a later one nearer, and the one that satisfied it. Whoever
	// knows the way has one.
	Tries int `json:"tries"`
	Hints int `json:"hints"`
	By    By  `json:"by,omitempty"`
}

// Took is how long it was the next one; 0: it was not, or is.
func (s Step) Took() time.Duration {
	if s.Begun.IsZero() || s.Reached.IsZero() {
		return 0
	}
	return max(0, s.Reached.Sub(s.Begun))
}

// State is one practice.
type State struct {
	Version int    `json:"netlab_practice"`
	Level   Level  `json:"level"`
	Space   string `json:"space"` // the host's network namespace, as /proc/PID/ns/net names it
	Steps   []Step `json:"steps"` // in the plan's order
	// What the last look saw: the kernel's digest, the index of the next step, and how
	// much of it stood.
	Digest string `json:"digest"`
	Next   int    `json:"next"`
	Stood  int    `json:"stood"`
	// Stands is how much of each step stood then, There how much at the first look.
	Stands []int `json:"stands,omitempty"`
	There  []int `json:"there,omitempty"`
	// Rules is short for the rules of the host's firewall at the last look.
	Rules string `json:"rules,omitempty"`
	// RulesAtFirst is the same of the first look.
	RulesAtFirst string `json:"rules_at_first,omitempty"`
	// Asked is what was missing when a hint was last asked for, Told how many of its
	// hints were shown.
	Asked  string    `json:"asked,omitempty"`
	Told   int       `json:"told,omitempty"`
	Proven time.Time `json:"proven,omitzero"` // zero: not yet
	// Seen is when the last look was booked, Away how long nobody was at it since the
	// beginning; see Resume.
	Seen time.Time     `json:"seen,omitzero"`
	Away time.Duration `json:"away_ns,omitempty"`
	// Again: it is to begin anew, in another sandbox.
	Again bool `json:"again,omitempty"`
}

// New begins one with those steps.
func New(level Level, space string, stepIDs []string, now time.Time) *State {
	s := &State{Version: Version, Level: level, Space: space}
	for _, id := range stepIDs {
		s.Steps = append(s.Steps, Step{ID: id})
	}
	if len(s.Steps) > 0 {
		s.Steps[0].Begun = now
	}
	return s
}

// Reached tells whether a step was satisfied once.
func (s *State) Reached(stepID string) bool {
	return slices.ContainsFunc(s.Steps, func(x Step) bool { return x.ID == stepID && !x.Reached.IsZero() })
}

// Sum adds up the tries and the hints.
func (s *State) Sum() (tries, hints int) {
	for _, x := range s.Steps {
		tries, hints = tries+x.Tries, hints+x.Hints
	}
	return tries, hints
}

// Took adds up what the steps took.
func (s *State) Took() time.Duration {
	var all time.Duration
	for _, x := range s.Steps {
		all += x.Took()
	}
	return all
}

// Resume goes on after a break, which is in no step's time. A break is reckoned from the
// last change that was seen.
func (s *State) Resume(now time.Time) {
	gap := now.Sub(s.Seen)
	if s.Seen.IsZero() || gap <= 0 {
		return
	}
	s.Seen, s.Away = now, s.Away+gap
	for i, x := range s.Steps {
		if !x.Begun.IsZero() && x.Reached.IsZero() {
			s.Steps[i].Begun = x.Begun.Add(gap)
		}
	}
}

// Counts are how many steps were reached, and how many of those as the learner's own
// doing.
func (s *State) Counts() (reached, own int) {
	for _, x := range s.Steps {
		if x.Reached.IsZero() {
			continue
		}
		reached++
		if x.By == Own {
			own++
		}
	}
	return reached, own
}

// Helped tells whether the learner was helped to a step, or would be.
func (s *State) Helped() bool {
	return slices.ContainsFunc(s.Steps, func(x Step) bool { return x.By != Own && x.By != Found })
}

// Hardest is the step that took most tries, the first of several; it is nil where none
// took more than one.
func (s *State) Hardest() *Step {
	var most *Step
	for i, x := range s.Steps {
		if x.Tries > 1 && (most == nil || x.Tries > most.Tries) {
			most = &s.Steps[i]
		}
	}
	return most
}

// Load reads a state. No file is an error that wraps fs.ErrNotExist.
func Load(path string) (*State, error) {
	data, err := owned.Read(path)
	if err != nil {
		return nil, fmt.Errorf("read the practice: %w", err)
	}
	s := &State{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("read the practice %s: %w", path, err)
	}
	if s.Version != Version || s.Next < 0 || s.Next > len(s.Steps) {
		return nil, fmt.Errorf("read the practice %s: %w", path, ErrVersion)
	}
	return s, nil
}

// Save writes it in one move. The directory must be there.
func (s *State) Save(path string) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode the practice: %w", err)
	}
	if err := owned.Replace(path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("keep the practice: %w", err)
	}
	return nil
}
