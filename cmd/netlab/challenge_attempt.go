package main

import (
	"path/filepath"

	"netlab/lab/progress"
)

// How the learner gets on with a challenge that is up is kept with the lab, in its
// sandbox, so that it counts whatever becomes of the user's own file: that has a copy.

// challengeDir has the attempts at the challenges in this sandbox.
const challengeDir = "/run/netlab/challenge"

// attemptsIn has the attempt at the challenge there.
func attemptsIn(p place) progress.Store {
	return progress.At(p.path(filepath.Join(challengeDir, p.lab+".json")))
}

// beginAttempt begins one at a lab that was just broken.
func (a *app) beginAttempt(p place, name string) error {
	now := a.now()
	begin := func(r *progress.Record) { r.Begin(now, "") }
	if _, err := attemptsIn(p).Update(progress.Challenge, name, begin); err != nil {
		return err
	}
	a.remember(progress.Challenge, name, begin)
	return nil
}

// attempt changes how it stands, and returns how it stands then.
func (a *app) attempt(s sitting, change func(*progress.Record)) (progress.Record, error) {
	r, err := attemptsIn(s.place).Update(progress.Challenge, s.Name, func(r *progress.Record) {
		if r.Attempts == 0 { // somebody has removed the file
			r.Begin(s.begun, "")
		}
		change(r)
	})
	if err == nil {
		a.remember(progress.Challenge, s.Name, func(known *progress.Record) { known.Follow(r.Last) })
	}
	return r, err
}
