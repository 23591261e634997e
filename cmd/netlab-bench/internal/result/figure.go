package result

import (
	"cmp"
	"slices"
)

// Figure is a median and the spread of what it is the median of. N is how many
// those were; 0: nothing was measured.
type Figure struct {
	Median, Least, Most float64
	N                   int
}

func figure(values []float64) Figure {
	if len(values) == 0 {
		return Figure{}
	}
	v := slices.Sorted(slices.Values(values))
	middle := v[len(v)/2]
	if len(v)%2 == 0 {
		middle = (v[len(v)/2-1] + middle) / 2
	}
	return Figure{Median: middle, Least: v[0], Most: v[len(v)-1], N: len(v)}
}

// Cell is what one contestant did at one size.
type Cell struct {
	Contestant, Lab string
	Pods            int
}

// Of takes one number of a round: such as its build time.
type Of func(Round) float64

// Build and PerPod are the build's time, in all and divided by the pods; Freed is
// the time to take a lab away, until the kernel has let go.
func Build(r Round) float64  { return r.Build }
func PerPod(r Round) float64 { return r.Build / float64(r.Pods) }
func Freed(r Round) float64  { return r.UndoFreed }

// Made is the build's time less that of netlab's checks after their steps.
func Made(r Round) float64 { return r.Build - r.Verify }

// Figure is a cell's median of something, over the rounds that have it.
func (r *Results) Figure(c Cell, of Of) Figure {
	var values []float64
	for _, v := range r.byRound(c, of) {
		values = append(values, v)
	}
	return figure(values)
}

// Ratio is that of two cells, round by round: those of a round were measured one
// after the other, so what slowed the machine slowed both.
func (r *Results) Ratio(a Cell, ofA Of, b Cell, ofB Of) Figure {
	above, below := r.byRound(a, ofA), r.byRound(b, ofB)
	var ratios []float64
	for round, v := range above {
		if w := below[round]; w > 0 {
			ratios = append(ratios, v/w)
		}
	}
	return figure(ratios)
}

func (r *Results) byRound(c Cell, of Of) map[int]float64 {
	values := map[int]float64{}
	for _, round := range r.Rounds {
		if round.Watched || round.Contestant != c.Contestant || round.Lab != c.Lab || round.Pods != c.Pods {
			continue
		}
		if v := of(round); v > 0 {
			values[round.Round] = v
		}
	}
	return values
}

// Cells are all that were measured, a contestant's by size.
func (r *Results) Cells() []Cell {
	var cells []Cell
	for _, round := range r.Rounds {
		c := Cell{round.Contestant, round.Lab, round.Pods}
		if !round.Watched && !slices.Contains(cells, c) {
			cells = append(cells, c)
		}
	}
	slices.SortStableFunc(cells, func(a, b Cell) int { return cmp.Compare(a.Pods, b.Pods) })
	return cells
}

// Side is a side's median at proxyarp.
func (r *Results) Side(side string) Figure {
	var values []float64
	for _, t := range r.Turns {
		if t.Side == side {
			values = append(values, t.MS)
		}
	}
	return figure(values)
}

// SideRatio is that of two sides, turn by turn.
func (r *Results) SideRatio(a, b string) Figure {
	at := map[int]map[string]float64{}
	for _, t := range r.Turns {
		if at[t.Turn] == nil {
			at[t.Turn] = map[string]float64{}
		}
		at[t.Turn][t.Side] = t.MS
	}
	var ratios []float64
	for _, t := range at {
		if t[a] > 0 && t[b] > 0 {
			ratios = append(ratios, t[a]/t[b])
		}
	}
	return figure(ratios)
}
