package show

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"netlab/cmd/netlab-bench/internal/result"
)

// afterwards is what is done with a lab that stands, in ms, by size.
func afterwards(r *result.Results) table {
	head := []string{"ms, with pods"}
	for _, n := range sizes(r) {
		head = append(head, strconv.Itoa(n))
	}
	t := table{head}
	for _, line := range []struct {
		what, contestant string
		of               result.Of
	}{
		{"netlab status", result.Netlab, func(c result.Round) float64 { return c.Status }},
		{"netlab check", result.Netlab, func(c result.Round) float64 { return c.Check }},
		{"of that, the checks of packets and state", result.Netlab, func(c result.Round) float64 { return c.Verify }},
		{"one dump of links, addresses and routes", result.Netlab, func(c result.Round) float64 { return c.Dump }},
		{"netlab teardown, until it returns", result.Netlab, func(c result.Round) float64 { return c.UndoReturned }},
		{"netlab teardown, until the kernel has let go", result.Netlab, result.Freed},
		{"minimal -undo, until the kernel has let go", result.Minimal, result.Freed},
	} {
		row := []string{line.what}
		for _, n := range sizes(r) {
			f := r.Figure(result.Cell{Contestant: line.contestant, Lab: result.Calico, Pods: n}, line.of)
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

// calls is what the kernel's part costs a pod.
func calls(r *result.Results) table {
	t := table{{"kernel call, for a pod", "µs a call", "calls", "stage"}}
	of := slices.Clone(r.Calls.Of)
	slices.SortStableFunc(of, func(a, b result.Call) int { return strings.Compare(a.Stage, b.Stage) })
	for _, c := range of {
		t = append(t, []string{c.Call, number(1000 * c.MS / float64(c.Count)), strconv.Itoa(c.Count), c.Stage})
	}
	return t
}

// waiting are calls that Go's runtime makes when threads wait for each other and
// for files: how many says nothing about a pod.
const waiting = " futex nanosleep epoll_pwait epoll_ctl sched_yield tgkill rt_sigreturn gettid getpid madvise "

// counts is how many kernel calls a pod costs, those made at least every second
// time, the most frequent first.
func counts(r *result.Results) table {
	of := map[string]map[string]float64{}
	for _, c := range r.Counts {
		if of[c.Call] == nil {
			of[c.Call] = map[string]float64{}
		}
		of[c.Call][c.Contestant] = c.PerPod
	}
	names := slices.SortedFunc(maps.Keys(of), func(a, b string) int {
		return cmp.Or(cmp.Compare(of[b][result.Netlab], of[a][result.Netlab]), strings.Compare(a, b))
	})
	t := table{{"kernel calls for a pod", title(result.Netlab), title(result.Minimal)}}
	for _, name := range names {
		c := of[name]
		if max(c[result.Netlab], c[result.Minimal]) < 0.5 || strings.Contains(waiting, " "+name+" ") {
			continue
		}
		t = append(t, []string{name, count(c[result.Netlab]), count(c[result.Minimal])})
	}
	return t
}

// count is a difference of two counts; one that is negative shows only that the
// runtime made more of them the first time.
func count(v float64) string {
	if v < 0 {
		return "varies"
	}
	return fmt.Sprintf("%.1f", v)
}

// proxyARP is the smallest lab against its script.
func proxyARP(r *result.Results) table {
	t := table{{"proxyarp, built and proved", "ms (least–most)", "of the script's"}}
	for _, side := range []string{result.SideScript, result.SideRun, result.SideNoBefore} {
		t = append(t, []string{side, spread(r.Side(side)), spread(r.SideRatio(side, result.SideScript))})
	}
	return t
}
