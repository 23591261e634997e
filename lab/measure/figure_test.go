package measure

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRatioComparesRoundByRound(t *testing.T) {
	f := Figure{Rounds: [][]float64{{10, 22, 40}, {10, 20, 50}}} // the machine got slower, both ways
	if diff := cmp.Diff(Ratio{Median: 1, Low: 0.8, High: 1.1, Sure: 0.75}, f.Ratio(0, 1), within(1e-9)); diff != "" {
		t.Error(diff)
	}
	if got := f.Median(1); got != 20 {
		t.Errorf("the median is %f", got)
	}
}

// The ranks are those of tables of the binomial distribution.
func TestBoundsOfAMedian(t *testing.T) {
	for _, tt := range []struct {
		rounds, cut int
		sure        float64
	}{
		{1, 0, 0},
		{2, 0, 0.5},
		{3, 0, 0.75},
		{5, 0, 0.9375},
		{6, 0, 0.96875},
		{8, 0, 0.9921875},
		{9, 1, 0.9609375},
		{21, 5, 0.9733},
		{25, 7, 0.9567},
		{99, 39, 0.9561},
	} {
		cut, sure := bounds(tt.rounds)
		if cut != tt.cut || sure < tt.sure-1e-4 || sure > tt.sure+1e-4 {
			t.Errorf("%d rounds: %d are cut off and it is %f sure, not %d and %f", tt.rounds, cut, sure, tt.cut, tt.sure)
		}
	}
}

func within(epsilon float64) cmp.Option {
	return cmp.Comparer(func(a, b float64) bool { return a-b < epsilon && b-a < epsilon })
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{3}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 2, 100}, 3},
	} {
		if got := median(tt.values); got != tt.want {
			t.Errorf("median of %v is %f, not %f", tt.values, got, tt.want)
		}
	}
}

func TestSameWhenTheBoundsDoNotAgree(t *testing.T) {
	for _, tt := range []struct {
		ratio Ratio
		want  bool
	}{
		{Ratio{Median: 1.05, Low: 1.02, High: 1.1}, false},
		{Ratio{Median: 1.05, Low: 0.99, High: 1.1}, true},
		{Ratio{Median: 0.9, Low: 0.8, High: 0.99}, false},
		{Ratio{Median: 1, Low: 1, High: 1}, true},
	} {
		if got := tt.ratio.Same(); got != tt.want {
			t.Errorf("%+v: %v", tt.ratio, got)
		}
	}
}

func TestNegligibleWhenBothBoundsAreWrittenAsOne(t *testing.T) {
	for _, tt := range []struct {
		low, high float64
		want      bool
	}{
		{1.001, 1.004, true}, // surely slower, and by nothing
		{0.996, 1.004, true},
		{0.99, 1.001, false},
		{1.001, 1.006, false},
	} {
		if got := (Ratio{Low: tt.low, Median: 1, High: tt.high}).Negligible(); got != tt.want {
			t.Errorf("%v to %v: %v", tt.low, tt.high, got)
		}
	}
}

func TestInverseTurnsTheBoundsOver(t *testing.T) {
	got := Ratio{Median: 1.25, Low: 1, High: 2, Sure: 0.95}.Inverse()
	if diff := cmp.Diff(Ratio{Median: 0.8, Low: 0.5, High: 1, Sure: 0.95}, got, within(1e-9)); diff != "" {
		t.Error(diff)
	}
}
