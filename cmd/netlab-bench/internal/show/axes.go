package show

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// axes are two logarithmic ones.
type axes struct{ left, right, bottom, top float64 }

// newAxes has room for all figures, and ends at round numbers below and above.
func newAxes(curves []curve) axes {
	a := axes{left: math.Inf(1), bottom: math.Inf(1)}
	for _, c := range curves {
		for i, n := range c.pods {
			a.left, a.right = min(a.left, float64(n)), max(a.right, float64(n))
			a.bottom, a.top = min(a.bottom, c.perPod[i].Least), max(a.top, c.perPod[i].Most)
		}
	}
	if len(curves) == 0 {
		return axes{1, 10, 1, 10}
	}
	steps := ticks(a.bottom/10, a.top*10)
	for i, t := range steps {
		if t <= a.bottom && steps[i+1] > a.bottom {
			a.bottom = t
		}
		if t >= a.top {
			a.top = t
			break
		}
	}
	a.right = max(a.right, 2*a.left) // of one size there is no axis
	return a
}

func (a axes) x(v float64) float64 {
	return plotLeft + (plotRight-plotLeft)*math.Log(v/a.left)/math.Log(a.right/a.left)
}

func (a axes) y(v float64) float64 {
	return plotBottom - (plotBottom-plotTop)*math.Log(v/a.bottom)/math.Log(a.top/a.bottom)
}

// ticks are 1, 2 and 5 times the powers of ten from low to high.
func ticks(low, high float64) []float64 {
	var all []float64
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for _, m := range []float64{1, 2, 5} {
			if t, err := strconv.ParseFloat(fmt.Sprintf("%ge%g", m, e), 64); err == nil && t >= low && t <= high {
				all = append(all, t)
			}
		}
	}
	return all
}

func (a axes) draw(b *strings.Builder) {
	for _, t := range ticks(a.bottom, a.top) {
		y := a.y(t)
		fmt.Fprintf(b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`+"\n", plotLeft, plotRight, y, y)
		fmt.Fprintf(b, `<text class="tick" text-anchor="end" x="%d" y="%.1f">%g</text>`+"\n", plotLeft-12, y+6, t)
	}
	steps := ticks(a.left, a.right)
	if last := len(steps) - 1; last < 0 || steps[last] < a.right/1.2 {
		steps = append(steps, a.right)
	}
	for _, t := range steps {
		x := a.x(t)
		fmt.Fprintf(b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`+"\n", x, x, plotTop, plotBottom)
		fmt.Fprintf(b, `<text class="tick" text-anchor="middle" x="%.1f" y="%d">%g</text>`+"\n", x, plotBottom+28, t)
	}
	fmt.Fprintf(b, `<line class="axis" x1="%d" x2="%d" y1="%d" y2="%d"/>`+"\n", plotLeft, plotRight, plotBottom, plotBottom)
	fmt.Fprintf(b, `<text class="sub" text-anchor="middle" x="%d" y="%d">pods</text>`+"\n", (plotLeft+plotRight)/2, plotBottom+60)
}
