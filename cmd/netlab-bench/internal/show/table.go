package show

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netlab/cmd/netlab-bench/internal/contest"
	"netlab/cmd/netlab-bench/internal/result"
)

// table is rows of cells, the first one being the head; all columns but the first
// are numbers.
type table [][]string

// goals has a row for each goal.
func goals(r *result.Results) table {
	t := table{{"goal", "figure (least–most)", "bound", "met"}}
	for _, g := range r.Goals() {
		unit := ""
		if g.Unit != "times" {
			unit = " " + g.Unit
		}
		met := "no"
		switch {
		case g.Missing():
			met = "not measured"
		case g.Free:
			met = ""
		case g.Met():
			met = "yes"
		}
		limit := g.Limit()
		if !g.Free {
			limit += unit
		}
		figure := spread(g.Figure)
		if g.Counted() {
			figure = fmt.Sprintf("%g", g.Figure.Median)
		}
		if !g.Missing() {
			figure += unit
		}
		t = append(t, []string{g.What, figure, limit, met})
	}
	return t
}

// sizes are those that a lab of calico's kind was built at.
func sizes(r *result.Results) []int {
	var all []int
	for _, c := range r.Cells() {
		if c.Lab == contest.Lab(c.Contestant) && !slices.Contains(all, c.Pods) {
			all = append(all, c.Pods)
		}
	}
	slices.Sort(all)
	return all
}

// perPod is the time to build a pod, by contestant and size.
func perPod(r *result.Results) table { return bySize(r, "ms a pod, of", result.PerPod) }

// perPodCPU is the time on a CPU, which other programs on the machine change little.
func perPodCPU(r *result.Results) table {
	return bySize(r, "ms of CPU a pod, of", func(c result.Round) float64 { return c.BuildCPU / float64(c.Pods) })
}

func bySize(r *result.Results, what string, of result.Of) table {
	head := []string{what}
	for _, n := range sizes(r) {
		head = append(head, strconv.Itoa(n))
	}
	t := table{head}
	for _, c := range contest.Names() {
		row := []string{title(c)}
		for _, n := range sizes(r) {
			f := r.Figure(result.Cell{Contestant: c, Lab: contest.Lab(c), Pods: n}, of)
			if f.N == 0 {
				row = append(row, "")
			} else {
				row = append(row, number(f.Median))
			}
		}
		t = append(t, row)
	}
	return t
}

// against is how many times netlab's time each one took, by size.
func against(r *result.Results) table {
	head := []string{"times netlab's, at"}
	for _, n := range sizes(r) {
		head = append(head, strconv.Itoa(n))
	}
	t := table{head}
	for _, c := range contest.Names() {
		if c == result.Netlab {
			continue
		}
		row := []string{title(c)}
		for _, n := range sizes(r) {
			f := r.Ratio(result.Cell{Contestant: c, Lab: contest.Lab(c), Pods: n}, result.Build,
				result.Cell{Contestant: result.Netlab, Lab: result.Calico, Pods: n}, result.Build)
			if f.N == 0 {
				row = append(row, "")
			} else {
				row = append(row, spread(f))
			}
		}
		t = append(t, row)
	}
	return t
}

// markdown is the table as a document has it.
func (t table) markdown() string {
	var b strings.Builder
	for i, row := range t {
		cells := make([]string, len(row))
		for j, cell := range row {
			cells[j] = strings.ReplaceAll(cell, "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			fmt.Fprintf(&b, "|---|%s\n", strings.Repeat("---:|", len(row)-1))
		}
	}
	return b.String()
}
