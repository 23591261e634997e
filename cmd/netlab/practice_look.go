package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/machine"
	"netlab/lab/op"
	"netlab/lab/practice"
)

// lookPatience is how long a look waits for an answer: in a sandbox one that comes,
// comes at once, and a person waits for the prompt.
const lookPatience = 700 * time.Millisecond

// look judges the state, books what it sees, and keeps it. by is who has changed it.
func (a *app) look(ctx context.Context, x *exercise, by practice.By) (lab.Verdict, practice.News, error) {
	if err := a.adoptNow(x); err != nil {
		return lab.Verdict{}, practice.News{}, err
	}
	v, err := x.plan.Judge(ctx, x.kernel, x.state.Reached, lookPatience)
	if err != nil {
		return v, practice.News{}, err
	}
	// After the checks: what they leave behind is nobody's change.
	digest, err := x.kernel.Digest()
	if err != nil {
		return v, practice.News{}, err
	}
	altered, err := alteredSince(x, digest)
	if err != nil {
		return v, practice.News{}, err
	}
	news := x.state.Take(v, practice.Look{
		Digest: digest, By: by, Now: a.now(),
		Beside: func(id string) bool {
			return !slices.ContainsFunc(aspectsOf(x, id), func(a kernel.Aspect) bool { return slices.Contains(altered, a) })
		},
		Untouched: func(id string) bool {
			return x.state.Rules == x.state.RulesAtFirst && slices.Equal(aspectsOf(x, id), []kernel.Aspect{kernel.WallsSet})
		},
	})
	return v, news, a.keep(x)
}

// alteredSince is in what the kernel differs from what the last look saw. A table or a
// chain of a firewall is no difference while it has no rule, and no policy that drops.
func alteredSince(x *exercise, digest string) ([]kernel.Aspect, error) {
	altered := kernel.Altered(x.state.Digest, digest)
	if !slices.Contains(altered, kernel.WallsSet) {
		return altered, nil
	}
	rules, err := x.kernel.Firewall().RulesDigest()
	if err != nil {
		return nil, err
	}
	if x.state.Digest == "" {
		x.state.RulesAtFirst = rules
	}
	if rules == x.state.Rules {
		altered = slices.DeleteFunc(altered, func(a kernel.Aspect) bool { return a == kernel.WallsSet })
	}
	x.state.Rules = rules
	return altered, nil
}

// aspectsOf are what a step is about.
func aspectsOf(x *exercise, stepID string) []kernel.Aspect {
	var about []kernel.Aspect
	for _, o := range stepOf(x, stepID).All() {
		if a := op.Aspect(o); !slices.Contains(about, a) {
			about = append(about, a)
		}
	}
	return about
}

// adoptNow is adopt of what stands now.
func (a *app) adoptNow(x *exercise) (err error) {
	if _, inside, err := machine.Here(); err != nil || inside {
		return err
	}
	j, err := a.labs.Open(x.lab)
	if err != nil {
		return a.journalRefused(x.lab, err)
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	return a.adopt(x, j)
}

func (a *app) keep(x *exercise) error { return x.state.Save(practiceFile(x.place)) }

// practiceLook is what the learner's shell runs before each prompt: it says something
// only when something has changed.
func (a *app) practiceLook(ctx context.Context, x *exercise) error {
	digest, err := x.kernel.Digest()
	if err != nil || digest == x.state.Digest {
		return err
	}
	return a.lookAndTell(ctx, x, false)
}

// practiceCheck looks again, whatever has changed. The error is lab.ErrFailed until all
// is proven.
func (a *app) practiceCheck(ctx context.Context, x *exercise) error {
	if err := a.lookAndTell(ctx, x, true); err != nil {
		return err
	}
	if x.state.Next < len(x.state.Steps) {
		return fmt.Errorf("practice %s: %w: %w", x.lab, errShown, lab.ErrFailed)
	}
	return nil
}

// lookAndTell says what has come of what was typed. asked: it was asked for.
func (a *app) lookAndTell(ctx context.Context, x *exercise, asked bool) error {
	v, news, err := a.look(ctx, x, practice.Own)
	if err != nil {
		return err
	}
	if news.Changed || len(v.Passed) > 0 {
		a.record(x, nil)
	}
	if a.output == "json" {
		return a.tellJSON(ctx, x, v)
	}
	a.tellVerdictOf(x, v, news, asked)
	return nil
}
