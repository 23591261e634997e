package show

import (
	_ "embed"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"

	"netlab/cmd/netlab-bench/internal/contest"
	"netlab/cmd/netlab-bench/internal/result"
)

//go:embed plot.css
var plotStyle string

// The plot's size and where its axes are, in the units of its viewBox.
const (
	plotWidth, plotHeight    = 1080, 680
	plotLeft, plotRight      = 80, 830
	plotTop, plotBottom      = 100, 600
	labelHeight, labelLetter = 25, 11
)

// Plot is the time to build a pod against how many are built, both logarithmic: an
// SVG with a line for each contestant, its name at the end, readable on a light
// and on a dark page.
func Plot(r *result.Results) string {
	curves := curves(r)
	a := newAxes(curves)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="t d">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, "<title id=\"t\">Time to build a pod, against how many are built</title>\n<desc id=\"d\">%s</desc>\n", html.EscapeString(described(curves)))
	fmt.Fprintf(&b, "<style>\n%s</style>\n<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", plotStyle, plotWidth, plotHeight)
	fmt.Fprintf(&b, `<text class="head" x="%d" y="42">Time to build a pod</text>`+"\n", plotLeft-50)
	fmt.Fprintf(&b, `<text class="sub" x="%d" y="72">milliseconds a pod, against how many are built; medians, bars from least to most</text>`+"\n", plotLeft-50)
	a.draw(&b)
	for i, c := range slices.Backward(curves) { // netlab last, on top of the others
		curves[i].end = c.draw(&b, a)
	}
	labels(&b, curves)
	b.WriteString("</svg>\n")
	return b.String()
}

// curve is one contestant's figures, by size.
type curve struct {
	name   string
	pods   []int
	perPod []result.Figure
	end    point // of its last figure, when it is drawn
}

type point struct{ x, y float64 }

// curves has netlab's first.
func curves(r *result.Results) []curve {
	var all []curve
	for _, name := range contest.Names() {
		c := curve{name: name}
		for _, n := range sizes(r) {
			f := r.Figure(result.Cell{Contestant: name, Lab: contest.Lab(name), Pods: n}, result.PerPod)
			if f.N > 0 {
				c.pods, c.perPod = append(c.pods, n), append(c.perPod, f)
			}
		}
		if len(c.pods) > 0 {
			all = append(all, c)
		}
	}
	return all
}

// described says the curves in words, for who can't see them.
func described(curves []curve) string {
	var all []string
	for _, c := range curves {
		last := len(c.pods) - 1
		all = append(all, fmt.Sprintf("%s: %s ms a pod of %d", title(c.name), number(c.perPod[last].Median), c.pods[last]))
	}
	return strings.Join(all, "; ") + "."
}

func (c curve) draw(b *strings.Builder, a axes) (end point) {
	fmt.Fprintf(b, "<g class=\"%s\">\n", c.name)
	var path []string
	for i, f := range c.perPod {
		end = point{a.x(float64(c.pods[i])), a.y(f.Median)}
		path = append(path, fmt.Sprintf("%.1f,%.1f", end.x, end.y))
		fmt.Fprintf(b, `<line class="spread" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`+"\n", end.x, end.x, a.y(f.Least), a.y(f.Most))
		fmt.Fprintf(b, `<circle class="dot" cx="%.1f" cy="%.1f" r="5.5"/>`+"\n", end.x, end.y)
	}
	fmt.Fprintf(b, "<polyline class=\"line\" points=\"%s\"/>\n</g>\n", strings.Join(path, " "))
	return end
}

// labels puts each curve's name behind its end, and those apart that would overlap.
func labels(b *strings.Builder, curves []curve) {
	byHeight := slices.Clone(curves)
	slices.SortFunc(byHeight, func(a, b curve) int { return int(math.Copysign(1, a.end.y-b.end.y)) })
	var placed []point
	for _, c := range byHeight {
		at := point{c.end.x + 14, c.end.y + 7}
		for _, p := range placed {
			if math.Abs(p.x-at.x) < labelLetter*20 && at.y-p.y < labelHeight {
				at.y = p.y + labelHeight
			}
		}
		placed = append(placed, at)
		fmt.Fprintf(b, `<g class="%s"><text class="label" x="%.1f" y="%.1f">%s</text></g>`+"\n", c.name, at.x, at.y, title(c.name))
	}
}
