// Package show shows the benchmark's results: on a terminal, as tables in a
// document, and as a plot.
package show

import (
	"fmt"

	"netlab/cmd/netlab-bench/internal/result"
)

// title is a contestant's name for readers.
func title(contestant string) string {
	switch contestant {
	case result.Minimal:
		return "minimal program"
	case result.Bash:
		return "bash, line by line"
	case result.Batch:
		return "ip -batch"
	case result.Plugin:
		return "CNI ptp plugin"
	case result.Mininet:
		return "Mininet, LinuxBridge"
	}
	return contestant
}

// number has about three digits that say something.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// spread is a figure with the least and the most of it.
func spread(f result.Figure) string {
	switch f.N {
	case 0:
		return "–"
	case 1:
		return number(f.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", number(f.Median), number(f.Least), number(f.Most))
}
