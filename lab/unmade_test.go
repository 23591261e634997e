package lab_test

import (
	"context"
	"errors"
	"testing"

	"netlab/lab"
)

func TestTheFirstChangeThatIsNotThereIsTheCause(t *testing.T) {
	t.Parallel()
	w := newWorld()
	op := func(key, value string) set { return set{w: w, Key: key, Value: value} }
	plan := lab.Plan{Lab: "lab", Steps: []lab.Step{
		{ID: "walls", Ops: []lab.Op{op("north", "1"), op("scaffold", "1")}},
		{ID: "roof", Groups: []lab.Group{{Name: "east", Ops: []lab.Op{byEffect{op("tiles", "1"), "slates"}, byEffect{op("gutter", "1"), ""}}}}},
		{ID: "tidy", Ops: op("scaffold", "1").Undo()},
	}}
	is := func(stepID, step, object string) {
		t.Helper()
		m, err := plan.Unmade(t.Context(), nil, stepID)
		if err != nil {
			t.Fatal(err)
		}
		var c lab.Cause
		if m != nil {
			c = m.Cause()
		}
		if c.Values["step"] != step || c.Values["object"] != object || m != nil && (c.ID != lab.ChangeMissing || len(c.Repair) == 0) {
			t.Errorf("once %s is done: %+v, want %q of step %q", stepID, c, object, step)
		}
	}
	is("nothing", "", "")
	is("roof", "walls", "key north")
	w.put("north", "1")
	is("walls", "walls", "key scaffold")
	is("tidy", "roof", "key tiles") // the scaffold is taken away in the end
	w.put("scaffold", "1")
	is("walls", "", "") // of later steps nothing is asked
	w.put("slates", "1")
	is("roof", "roof", "key gutter")
	w.put("gutter", "1")
	is("roof", "", "")
	is("tidy", "tidy", "key scaffold")
	w.put("scaffold", "")
	is("tidy", "", "")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := plan.Unmade(ctx, nil, "tidy"); !errors.Is(err, lab.ErrInterrupted) {
		t.Errorf("interrupted: %v", err)
	}
}
