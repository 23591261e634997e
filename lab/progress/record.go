// Package progress keeps what one user has practised and solved, in a file below
// the XDG state directory. Nothing of it leaves the machine, and nothing else
// depends on it: without it all works but the memory.
package progress

import "time"

// Kind is the kind of an exercise.
type Kind string

// The kinds.
const (
	Practice  Kind = "practice"
	Challenge Kind = "challenge"
)

// Record is what is known of one exercise. Its key is Kind and Name.
type Record struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"` // of the scenario or of the challenge
	// Attempts is how often it was begun anew; at least 1.
	Attempts int `json:"attempts"`
	// Last is the attempt that goes on, or the last one there was.
	Last Attempt `json:"last"`
	// Solved is the first attempt that was won without the solution; nil: none was.
	Solved *Attempt `json:"solved,omitempty"`
}

// Attempt is one go at an exercise.
type Attempt struct {
	Begun time.Time `json:"begun"`
	// Level is how much help was asked for from the start, such as "fill"; empty
	// where there are no levels.
	Level string `json:"level,omitempty"`
	Tries int    `json:"tries"` // how often the state was judged
	Hints int    `json:"hints"` // how many were shown
	// Shown: the solution was shown, or a part of it done for the user.
	Shown bool `json:"shown,omitempty"`
	// Away is how long nobody was at it, in nanoseconds, where that is known.
	Away time.Duration `json:"away_ns,omitempty"`
	// Won is when it was won; nil: not yet.
	Won *time.Time `json:"won,omitempty"`
}

// Took is the time from the beginning until it was won, less breaks; 0: it was not.
func (a Attempt) Took() time.Duration {
	if a.Won == nil {
		return 0
	}
	return max(0, a.Won.Sub(a.Begun)-a.Away)
}

// Begin begins a new attempt.
func (r *Record) Begin(now time.Time, level string) {
	r.Attempts++
	r.Last = Attempt{Begun: now, Level: level}
}

// Follow takes over how an attempt stands that is kept elsewhere.
func (r *Record) Follow(a Attempt) {
	r.Attempts = max(1, r.Attempts) // begun where it could not be kept here
	r.Last = a
	r.solve()
}

// Win marks the attempt as won. What is won stays won.
func (r *Record) Win(now time.Time) {
	if r.Last.Won != nil {
		return
	}
	r.Last.Won = &now
	r.solve()
}

// solve notes the first attempt that was won without the solution.
func (r *Record) solve() {
	if r.Last.Won == nil || r.Last.Shown || r.Solved != nil {
		return
	}
	first := r.Last
	r.Solved = &first
}
