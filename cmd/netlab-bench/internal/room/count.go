package room

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"netlab/cmd/netlab-bench/internal/contest"
	"netlab/cmd/netlab-bench/internal/result"
)

// count counts the kernel calls that a contestant makes for each pod more: those
// for twice as many pods less those for as many, so that what is done once is not in it.
func (j Job) count(r result.Round) ([]result.Count, error) {
	once, err := j.traced(r, r.Pods)
	if err != nil {
		return nil, err
	}
	twice, err := j.traced(r, 2*r.Pods)
	if err != nil {
		return nil, err
	}
	var counts []result.Count
	for call, n := range twice {
		counts = append(counts, result.Count{
			Contestant: r.Contestant, Call: call, PerPod: float64(n-once[call]) / float64(r.Pods),
		})
	}
	return counts, nil
}

// traced builds a lab of so many pods under strace, which counts the calls of all
// threads, and takes it away again.
func (j Job) traced(r result.Round, pods int) (map[string]int, error) {
	report := scratch + "/calls"
	argv := contest.Command(r.Contestant, contest.Bed{Netlab: j.Netlab, Minimal: j.Minimal, Lab: r.Lab, Pods: pods})
	cmd := exec.Command("strace", append([]string{"-f", "-c", "-U", "calls,name", "-o", report}, argv.Build...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("strace %s: %w: %s", r.Contestant, err, out)
	}
	if out, err := exec.Command(argv.Undo[0], argv.Undo[1:]...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("undo %s: %w: %s", r.Contestant, err, out)
	}
	if err := WaitForNamespaces(ofRoom); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(report)
	if err != nil {
		return nil, err
	}
	return parseCounts(string(text)), nil
}

// parseCounts reads strace's table of two columns, calls and names.
func parseCounts(table string) map[string]int {
	counts := map[string]int{}
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		if len(words) != 2 || words[1] == "total" {
			continue
		}
		if n, err := strconv.Atoi(words[0]); err == nil { // not the head, nor its rule
			counts[words[1]] = n
		}
	}
	return counts
}
