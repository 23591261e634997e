package measure

import (
	"math"
	"slices"
)

// Figure is one quantity: for each way, a value a round.
type Figure struct {
	Rounds [][]float64 // of each way
}

// add takes one round's value of each way.
func (f *Figure) add(values []float64) {
	if f.Rounds == nil {
		f.Rounds = make([][]float64, len(values))
	}
	for i, v := range values {
		f.Rounds[i] = append(f.Rounds[i], v)
	}
}

// Median is the middle one of a way's rounds.
func (f Figure) Median(way int) float64 { return median(f.Rounds[way]) }

// Ratio is how a quantity of one way relates to that of another.
type Ratio struct {
	Median float64 `json:"median"` // the middle one of the rounds' ratios
	// Low and High are the rounds between which the true ratio lies with the
	// certainty Sure, as far as the rounds are independent of each other: which of
	// them are on one side of the true median is as the fall of coins. Sure is 0.95 or
	// more, but less for fewer than 6 rounds, and 0 for one.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	Sure float64 `json:"sure"`
}

// wanted is how sure the bounds of a Ratio are to be.
const wanted = 0.95

// Ratio compares two ways round by round, so that what slows both down cancels.
func (f Figure) Ratio(way, to int) Ratio {
	var all []float64
	for i, v := range f.Rounds[way] {
		all = append(all, v/f.Rounds[to][i])
	}
	slices.Sort(all)
	cut, sure := bounds(len(all))
	return Ratio{Median: median(all), Low: all[cut], High: all[len(all)-1-cut], Sure: sure}
}

// bounds is how many of n sorted values may be cut off at either end, so that the
// rest still holds the true median with the certainty wanted, and how sure that is.
func bounds(n int) (cut int, sure float64) {
	// Of all 2^n falls of n coins, those with at most cut heads; each side has as many.
	falls := math.Exp2(-float64(n))
	beyond := falls
	for next := 0; ; next++ {
		falls *= float64(n-next) / float64(next+1)
		if 1-2*(beyond+falls) < wanted || 2*(next+1) >= n {
			return next, max(0, 1-2*beyond)
		}
		beyond += falls
	}
}

// Same tells whether it is not sure which of the two is larger.
func (r Ratio) Same() bool { return r.Low <= 1 && r.High >= 1 }

// Little is how far from 1 a ratio is at most that makes no difference: it is
// written as 1.00.
const Little = 0.005

// Negligible tells whether the true ratio, as surely as the bounds are, makes no
// difference, whichever of the two is larger.
func (r Ratio) Negligible() bool { return r.Low > 1-Little && r.High < 1+Little }

// Inverse is the same of the other way to this one. Of an even number of rounds
// the median is that of the ratios turned over, not of the turned ones.
func (r Ratio) Inverse() Ratio {
	return Ratio{Median: 1 / r.Median, Low: 1 / r.High, High: 1 / r.Low, Sure: r.Sure}
}

// median is 0 for no values.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}
