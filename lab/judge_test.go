package lab_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
)

// byEffect is a set that may stand under another key, or of which only a check can tell.
type byEffect struct {
	set
	Or string // empty: only a check can tell
}

func (o byEffect) Effect(*kernel.Kernel) error {
	if o.Or == "" {
		return lab.ErrByChecks
	}
	if o.w.get(o.Or) == o.Value {
		return nil
	}
	return o.Verify(nil)
}

// judged are a plan and what was reached of it.
type judged struct {
	t       *testing.T
	plan    lab.Plan
	reached []string
}

func (j *judged) judge() lab.Verdict {
	j.t.Helper()
	v, err := j.plan.Judge(j.t.Context(), nil, func(id string) bool { return slices.Contains(j.reached, id) }, time.Second)
	if err != nil {
		j.t.Fatal(err)
	}
	for _, p := range v.Passed {
		j.reached = append(j.reached, p.ID)
	}
	return v
}

// is compares a verdict: the step that is next, what it lacks ("key x", or the ID of
// the check), and how much of it stands.
func (j *judged) is(next int, lacks string, stand, of int, lost bool) {
	j.t.Helper()
	v := j.judge()
	got := ""
	if v.Missing != nil {
		e := v.Missing.Event("lab")
		got = e.ID + e.Values["object"]
		if want := map[bool]lab.Type{true: lab.CheckDone, false: lab.OpDiffers}[v.Missing.Op == nil]; e.Type != want || e.Step != j.plan.Steps[v.Next].ID {
			j.t.Errorf("the event is %+v", e)
		}
	}
	if v.Next != next || got != lacks || v.Lost != lost || lacks != "" && (v.Stand != stand || v.Of != of) {
		j.t.Errorf("next %d lacks %q, %d of %d, lost %t; want %d lacks %q, %d of %d, lost %t",
			v.Next, got, v.Stand, v.Of, v.Lost, next, lacks, stand, of, lost)
	}
}

func TestJudgeGoesByWhatStandsAndWhatItDoes(t *testing.T) {
	t.Parallel()
	w := newWorld()
	op := func(key string) set { return set{w: w, Key: key, Value: "1"} }
	j := &judged{t: t, plan: lab.Plan{Lab: "lab", Steps: []lab.Step{
		{ID: "walls", Ops: []lab.Op{op("north"), op("south")}, Checks: []lab.Check{{ID: "stands", Probe: probe{w, "wind", "still"}}}},
		{ID: "roof", Ops: []lab.Op{byEffect{op("tiles"), "slates"}, byEffect{op("gutter"), ""}}, Checks: []lab.Check{{ID: "dry", Probe: probe{w, "rain", "out"}}}},
		{ID: "look", Checks: []lab.Check{{ID: "seen", Probe: probe{w, "rain", "out"}}}},
		{ID: "paint", Ops: []lab.Op{op("door")}},
	}}}
	j.is(0, "key north", 0, 2, false)
	w.put("south", "1")
	j.is(0, "key north", 1, 2, false)
	w.put("north", "1")
	j.is(0, "stands", 2, 2, false)
	w.put("wind", "still")
	j.is(1, "key tiles", 0, 1, false)
	w.put("slates", "1")
	j.is(1, "dry", 1, 1, false)
	var out []string
	for m := range j.plan.Steps[1].Outstanding(nil) {
		out = append(out, m.Op.Command().String())
	}
	if !slices.Equal(out, []string{"set gutter 1"}) {
		t.Errorf("outstanding: %q", out)
	}
	w.put("rain", "out") // and the step that only looks with it
	j.is(3, "key door", 0, 1, false)
	w.put("north", "")
	j.is(0, "key north", 1, 2, true)
	w.put("north", "1")
	w.put("wind", "blows") // which only the end looks at again
	j.is(3, "key door", 0, 1, false)
	w.put("door", "1")
	j.is(0, "stands", 0, 0, true)
	w.put("wind", "still")
	j.is(4, "", 0, 0, false)
}

// What a later step takes back need not stand once that is under way, and what the
// taking back brings down and the later step does anew, neither.
func TestJudgeKnowsWhatIsTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld()
	guest, bed := set{w: w, Key: "guest", Value: "here"}, set{w: w, Key: "bed", Value: "made"}
	j := &judged{t: t, plan: lab.Plan{Lab: "lab", Steps: []lab.Step{
		{ID: "room", Ops: []lab.Op{bed}},
		{ID: "welcome", Ops: []lab.Op{guest}, Checks: []lab.Check{{ID: "seen", Probe: probe{w, "guest", "here"}, Until: "goodbye"}}},
		{ID: "goodbye", Ops: []lab.Op{guest.Undo()[0], bed}},
	}}}
	w.put("bed", "made")
	j.is(1, "key guest", 0, 1, false)
	w.put("guest", "here")
	j.is(2, "key guest", 1, 2, false)
	w.put("guest", "")
	w.put("bed", "")
	j.is(2, "key bed", 1, 2, false)
	w.put("bed", "made")
	j.is(3, "", 0, 0, false)
}

func TestJudgeIsInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ctx, cancel := context.WithCancel(t.Context())
	w.on["get rain"] = func() error { cancel(); return nil }
	plan := lab.Plan{Steps: []lab.Step{{ID: "look", Checks: []lab.Check{{ID: "seen", Probe: probe{w, "rain", "out"}}}}}}
	if _, err := plan.Judge(ctx, nil, func(string) bool { return false }, time.Second); !errors.Is(err, lab.ErrInterrupted) {
		t.Errorf("got %v", err)
	}
	// What can't be tried fails.
	w.on["get rain"] = func() error { return errors.New("no window") }
	v, err := plan.Judge(t.Context(), nil, func(string) bool { return false }, time.Second)
	if err != nil || v.Missing == nil || v.Missing.Seen.Outcome != lab.Untried || v.Missing.Seen.Values["error"] != "no window" {
		t.Errorf("%+v, %v", v.Missing, err)
	}
}
