package main

import (
	"context"
	"fmt"
	"time"

	"netlab/lab"
	"netlab/lab/practice"
)

// lookPatience is how long a look waits for an answer: in a sandbox one that comes,
// comes at once, and a person waits for the prompt.
const lookPatience = 700 * time.Millisecond

// look judges the state, books what it sees, and keeps it. by is who has changed it.
func (a *app) look(ctx context.Context, x *exercise, by practice.By) (lab.Verdict, practice.News, error) {
	v, err := x.plan.Judge(ctx, x.kernel, x.state.Reached, lookPatience)
	if err != nil {
		return v, practice.News{}, err
	}
	// After the checks: what they leave behind is nobody's change.
	digest, err := x.kernel.Digest()
	if err != nil {
		return v, practice.News{}, err
	}
	news := x.state.Take(v, digest, by, a.now())
	return v, news, a.keep(x)
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
