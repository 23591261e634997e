package result

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRatioIsRoundByRound(t *testing.T) {
	ours, theirs := Cell{Netlab, Calico, 10}, Cell{Bash, Calico, 10}
	r := &Results{}
	for round, ms := range []float64{10, 40, 20} { // the machine was slow in the second
		r.Rounds = append(r.Rounds, Round{Contestant: Netlab, Lab: Calico, Pods: 10, Round: round, Build: ms})
		if round < 2 {
			r.Rounds = append(r.Rounds, Round{Contestant: Bash, Lab: Calico, Pods: 10, Round: round, Build: 5 * ms})
		}
	}
	r.Rounds = append(r.Rounds, Round{Contestant: Netlab, Lab: Calico, Pods: 10, Watched: true, Build: 900})
	if diff := cmp.Diff(Figure{Median: 5, Least: 5, Most: 5, N: 2}, r.Ratio(theirs, Build, ours, Build)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(Figure{Median: 20, Least: 10, Most: 40, N: 3}, r.Figure(ours, Build)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestGoalIsMetByWhatWasMeasured(t *testing.T) {
	one := func(v float64) Figure { return Figure{Median: v, Least: v, Most: v, N: 1} }
	for _, tt := range []struct {
		goal Goal
		met  bool
	}{
		{Goal{Figure: one(1.5), Bound: 1.5}, true},
		{Goal{Figure: one(1.51), Bound: 1.5}, false},
		{Goal{Figure: one(25), Bound: 25, Least: true}, true},
		{Goal{Figure: one(24), Bound: 25, Least: true}, false},
		{Goal{Bound: 1.5}, false}, // not measured
	} {
		if met := tt.goal.Met(); met != tt.met {
			t.Errorf("%+v: met %v", tt.goal, met)
		}
	}
	for _, g := range (&Results{}).Goals() {
		if !g.Missing() || g.Met() {
			t.Errorf("of nothing measured, %q has a figure: %+v", g.What, g)
		}
	}
}
