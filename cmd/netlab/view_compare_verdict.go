package main

import (
	"math"
	"strconv"

	"netlab/lab/measure"
)

// What the verdict calls little, and what makes it doubtful.
const (
	littleCost = 0.10 // how far the ratio of any figure is from 1
	wideSpread = 0.25 // between what the true ratio may be at least and at most
)

// verdict answers the question for which two labs are compared.
func (v *comparisonView) verdict() {
	f := v.Figures[0]
	of, against := v.Labs[0], v.Labs[1]
	if f.Of != of.Scenario {
		of, against = against, of
	}
	question := "compare.question"
	if of.Routed > 0 && against.Routed == 0 {
		question = "compare.question.routing"
	}
	answer, most := v.judge()
	values := []string{"of", f.Of, "against", f.Against, "most", strconv.Itoa(int(math.Round(100 * most)))}
	v.prose("", v.fill(question, values...), v.bold)
	v.prose("", v.fill(answer, values...), nil)
	sure := "compare.sure"
	if v.Rounds == 1 {
		sure = "compare.sure.once"
	}
	v.prose("", v.fill(sure, "rounds", strconv.Itoa(v.Rounds)), v.dim)
	for _, f := range v.shown() {
		if ratio := f.shown(); ratio.High-ratio.Low > wideSpread {
			v.prose("", v.say("compare.wide"), nil)
			return
		}
	}
}

// judge is the key of the answer, and the largest difference, as a share: of the
// figures in which it is sure which is slower, or of all, where it is in none.
func (v *comparisonView) judge() (key string, most float64) {
	sure, all, some := 0.0, 0.0, false
	for _, f := range v.shown() {
		ratio := f.shown()
		difference := math.Abs(ratio.Median - 1)
		all = max(all, difference)
		if !ratio.Same() {
			sure, some = max(sure, difference), true
		}
	}
	switch {
	case v.Rounds == 1:
		return "compare.answer.once", all
	case all < measure.Little:
		return "compare.answer.same", all
	case some && sure < measure.Little:
		return "compare.answer.tiny", sure
	case !some:
		return "compare.answer.none", all
	case sure > littleCost:
		return "compare.answer.much", sure
	}
	return "compare.answer.little", sure
}
