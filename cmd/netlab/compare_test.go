package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/measure"
)

func TestInterruptedComparisonLeavesNothing(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	before := settle(t)
	cmd := exec.Command("netlab", "compare", "calico", "bridge", "--duration", "10s")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "measuring") {
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // the exit code says it
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit status %d\n%s", code, said.String())
	}
	if out.Len() > 0 {
		t.Errorf("it shows a result:\n%s", out.String())
	}
	if up := sh(t, "netlab status"); !strings.Contains(up, "No lab is up.") {
		t.Errorf("status: %s", up)
	}
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Errorf("the host is not as it was (-before +after):\n%s", diff)
	}
}

// ratio is one of 101 rounds.
func ratio(low, median, high float64) measure.Ratio {
	return measure.Ratio{Low: low, Median: median, High: high, Sure: 0.95}
}

// compared is a comparison with those costs of round trips, TCP and datagrams.
func compared(rounds int, costs ...measure.Ratio) comparison {
	c := comparison{Rounds: rounds, Labs: []comparedWay{
		{
			Scenario: "bridge", Hops: 4, TTL: 64, WithoutForwarding: true,
			NextHop:    lab.Decision{Values: map[string]string{"mac": "02:00:00:00:00:02", "addr": "10.244.1.2", "owner_ns": "bridge2", "owner_dev": "eth0"}},
			Neighbours: []comparedNeighbour{{"10.244.1.2", "02:00:00:00:00:02"}},
			Heard:      []comparedHeard{{"arp-request", "10.244.1.1", "10.244.1.2"}, {"arp-request", "10.244.1.1", "10.244.1.2"}},
		},
		{
			Scenario: "calico", Hops: 4, Routed: 1, TTL: 63,
			NextHop: lab.Decision{Values: map[string]string{"mac": "ee:ee:ee:ee:ee:ee", "addr": "169.254.1.1", "owner_dev": "cali126c3d91e90", "proxy": "yes"}},
		},
	}}
	for i, f := range []comparedFigure{
		{ID: "round-trip", Unit: "ns", Medians: []float64{9000, 9100}},
		{ID: "tcp", Unit: "bit/s", Medians: []float64{20e9, 940e6}},
		{ID: datagramsSent, Unit: "1/s", Medians: []float64{1, 1}},
		{ID: "datagrams", Unit: "1/s", Medians: []float64{400e3, 100e3}},
	} {
		f.Of, f.Against = "calico", "bridge"
		if f.ID == datagramsSent {
			f.Cost = ratio(8, 9, 10) // is not shown, so it must not count
		} else {
			f.Cost = costs[min(i, 2)]
		}
		c.Figures = append(c.Figures, f)
	}
	return c
}

func TestVerdictSaysWhatWasMeasured(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rounds int
		costs  []measure.Ratio
		want   string
		not    string
	}{
		{"nothing is sure", 101, []measure.Ratio{ratio(0.99, 1.01, 1.02), ratio(0.98, 1.04, 1.1), ratio(0.9, 0.97, 1.05)},
			"No difference that is sure. The largest seen is 4 %", "far apart"},
		{"a little, and sure", 101, []measure.Ratio{ratio(1.01, 1.01, 1.02), ratio(1.02, 1.06, 1.1), ratio(0.9, 0.92, 1.05)},
			"About the same: where it is certain which is slower, it is by 6 % at most.", "far apart"},
		{"faster, and sure", 101, []measure.Ratio{ratio(0.9, 0.92, 0.95), ratio(1, 1, 1), ratio(1, 1, 1)},
			"About the same: where it is certain which is slower, it is by 8 % at most.", "far apart"},
		{"much", 101, []measure.Ratio{ratio(1, 1.01, 1.02), ratio(1.2, 1.3, 1.4), ratio(1, 1, 1)},
			"Not the same: where it is certain which is slower, it is here by up to 23 %.", "far apart"},
		{"a busy machine", 101, []measure.Ratio{ratio(1.01, 1.01, 1.02), ratio(0.6, 1.25, 1.4), ratio(1, 1, 1)},
			"it is by 1 % at most. Measured in 101 rounds, in turns. Whatever else the machine does makes the figures less " +
				"certain; more rounds (--rounds) make them more so. The rounds lie far apart", "Not the same"},
		{"sure, and nothing", 101, []measure.Ratio{ratio(1.001, 1.002, 1.004), ratio(1, 1, 1), ratio(0.997, 0.999, 1.002)},
			"No difference that matters: the medians of all three", "certain which is slower"},
		{"sure where it is nothing", 101, []measure.Ratio{ratio(1.001, 1.002, 1.004), ratio(0.9, 1.1, 1.2), ratio(1, 1, 1)},
			"No difference that matters is sure: where it is certain", "by 0 %"},
		{"of throughput, what is left", 101, []measure.Ratio{ratio(1, 1.01, 1.02), ratio(1, 1.25, 2), ratio(1, 1, 1)},
			"calico gets 0.80 of bridge's throughput; with 95 % certainty from 0.50 to 1.00", "1.25 times"},
		{"one round", 1, []measure.Ratio{ratio(1, 1, 1), ratio(1, 1, 1), ratio(1, 1, 1)},
			"One round says nothing of how sure that is", "certainty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Join(strings.Fields(comparedText(t, english, 80, compared(tt.rounds, tt.costs...))), " ")
			if !strings.Contains(text, tt.want) || strings.Contains(text, tt.not) {
				t.Errorf("it has not %q, or has %q:\n%s", tt.want, tt.not, text)
			}
			if !strings.Contains(text, "What does routing (calico) cost against switching (bridge), on this machine?") {
				t.Errorf("it asks nothing:\n%s", text)
			}
		})
	}
}

func comparedText(t *testing.T, lang string, columns int, c comparison) string {
	t.Helper()
	t.Setenv("COLUMNS", fmt.Sprint(columns))
	var out bytes.Buffer
	a := &app{stdout: &out, quiet: true, lang: lang, output: "text"}
	if err := a.speak(lang); err != nil {
		t.Fatal(err)
	}
	a.showComparison(c)
	return out.String()
}

// Bars are as long as the figures say, and no line is wider than the paper.
func TestComparisonFitsItsPaper(t *testing.T) {
	same := ratio(0.99, 1, 1.01)
	for _, lang := range languages() {
		for _, width := range []int{60, 80, 100} {
			text := comparedText(t, lang, width, compared(101, same, same, same))
			for line := range strings.Lines(text) {
				if got := columns(strings.TrimSuffix(line, "\n")); got > width {
					t.Errorf("%s: a line of %d columns on %d: %s", lang, got, width, line)
				}
			}
			if lang != english {
				continue
			}
			for _, want := range []string{"20.0 Gbit/s", "940 Mbit/s", "400 k/s", "9.1 µs"} {
				if !strings.Contains(text, want) {
					t.Errorf("%d columns: %q is missing:\n%s", width, want, text)
				}
			}
			bars := map[string]int{}
			for line := range strings.Lines(text) {
				if strings.Contains(line, "k/s") {
					bars[strings.Fields(line)[0]] = strings.Count(line, "█")
				}
			}
			if bars["bridge"] < 4 || bars["calico"] != (bars["bridge"]+2)/4 {
				t.Errorf("%d columns: bars of 400 and 100 are %v long", width, bars)
			}
		}
	}
}
