package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
	"netlab/scenarios"
)

func TestWhatIfShowsOfProxyARPWhatIsKnown(t *testing.T) { testCells(t, "proxyarp", proxyARPCells()) }
func TestWhatIfShowsOfCalicoWhatIsKnown(t *testing.T)   { testCells(t, "calico", calicoCells()) }

// testCells holds every cell of a scenario's matrix, and of what else is expected, to
// what is known of the kernel.
func testCells(t *testing.T, scenario string, want []expected) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	before := settle(t)
	got := map[string]whatIfRow{}
	var mu sync.Mutex
	var all sync.WaitGroup
	try := func(args ...string) {
		rows := whatIfRows(t, append([]string{"whatif", scenario, "-o", "json"}, args...)...)
		mu.Lock()
		defer mu.Unlock()
		for _, r := range rows {
			got[argsOf(r)] = r
		}
	}
	for _, w := range want {
		if !strings.Contains(w.args, "--set") {
			continue
		}
		all.Go(func() { try(strings.Fields(w.args)...) })
	}
	all.Go(func() { try() })
	all.Wait()
	for _, w := range want {
		r, ok := got[w.args]
		if !ok {
			t.Errorf("%q was not tried", w.args)
			continue
		}
		delete(got, w.args)
		i := 0
		for _, b := range w.cells {
			for mark := range strings.SplitSeq(b.marks, "") {
				if i == len(r.Checks) {
					t.Fatalf("%q: there are %d checks only", w.args, i)
				}
				if c := r.Checks[i]; c.Holds != (mark == "✓") {
					t.Errorf("%q: check %s holds: %v (%s %v); %s", w.args, c.ID, c.Holds, c.Outcome, c.Values, b.why)
				}
				i++
			}
		}
		if i != len(r.Checks) {
			t.Errorf("%q: only %d of %d checks are expected", w.args, i, len(r.Checks))
		}
		// It is the same as the first where it can't be told from it, and only there.
		if same := !strings.Contains(fmt.Sprint(w.cells), "✗"); w.args != "" && r.Same != same {
			t.Errorf("%q: the same as with nothing left out: %v", w.args, r.Same)
		}
	}
	for args := range got {
		t.Errorf("nothing is expected of %q", args)
	}
	if up := sh(t, "netlab status"); !strings.Contains(up, "No lab is up.") {
		t.Errorf("status: %s", up)
	}
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Errorf("the host is not as it was (-before +after):\n%s", diff)
	}
}

// argsOf are the flags that a row was made by.
func argsOf(r whatIfRow) string {
	var args []string
	for _, step := range r.Skip {
		args = append(args, "--skip="+step)
	}
	for _, set := range r.Set {
		args = append(args, "--set="+set.Name+"="+set.Value)
	}
	return strings.Join(args, " ")
}

// whatIfRows are the rows that a command prints.
func whatIfRows(t *testing.T, args ...string) []whatIfRow {
	var out, stderr bytes.Buffer
	cmd := exec.Command("netlab", args...)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("%v: %v\n%s", args, err, &stderr)
	}
	var rows []whatIfRow
	for line := range strings.Lines(out.String()) {
		var r whatIfRow
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Errorf("%v: %v: %s", args, err, line)
		}
		if r.Type == "whatif" {
			rows = append(rows, r)
		}
	}
	return rows
}

// What can't be made without a step, and what the cause is, in the kernel's own words
// where it has any.
func TestWhatIfTellsWhatFailsAndWhy(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	var all sync.WaitGroup
	for _, tt := range []struct {
		args, refused, cause string
	}{
		{"proxyarp --skip veth", "not there", "link-missing"},
		{"proxyarp --set route-order=default-first", "Nexthop has invalid gateway", "default-route-missing"},
		{"scope --skip address", "Device for nexthop is not up", "change-missing"},
		{"bridge --skip ports", "", "change-missing"},
		{"ptp --skip host", "", "address-missing"},
		{"ptp --skip reroute", "", "pod-route-wrong"},
		{"gateway --skip assign", "not there", "address-missing"},
		{"bridge --set ip_forward=1", "", "setting-alone"},
	} {
		all.Go(func() {
			rows := whatIfRows(t, append([]string{"whatif", "-o", "json"}, strings.Fields(tt.args)...)...)
			if len(rows) != 2 {
				t.Errorf("%s: %d rows", tt.args, len(rows))
				return
			}
			r := rows[1]
			if (len(r.Refused) > 0) != (tt.refused != "") || len(r.Refused) > 0 && !strings.Contains(r.Refused[0].Error, tt.refused) {
				t.Errorf("%s: could not be made: %v", tt.args, r.Refused)
			}
			if (len(r.Causes) > 0) != (tt.cause != "") || len(r.Causes) > 0 && r.Causes[0].ID != tt.cause {
				t.Errorf("%s: causes %v", tt.args, r.Causes)
			}
		})
	}
	all.Wait()
}

func TestInterruptedWhatIfLeavesNothing(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	before := settle(t)
	cmd := exec.Command("netlab", "whatif", "proxyarp")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "routes ") { // the slow ones come next
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // the exit code says it
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit status %d\n%s", code, said.String())
	}
	if strings.Contains(said.String(), "masquerade  ") {
		t.Errorf("it goes on:\n%s", said.String())
	}
	if up := sh(t, "netlab status"); !strings.Contains(up, "No lab is up.") {
		t.Errorf("status: %s", up)
	}
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Errorf("the host is not as it was (-before +after):\n%s", diff)
	}
}

// No line of the matrix is wider than its paper, whatever the language.
func TestWhatIfFitsItsPaper(t *testing.T) {
	for _, s := range scenarios.All() {
		for _, lang := range languages() {
			for _, width := range []int{60, 80} {
				text := whatIfShown(t, s, lang, width, "text")
				for line := range strings.Lines(text) {
					if got := columns(strings.TrimSuffix(line, "\n")); got > width {
						t.Errorf("%s, %s: a line of %d columns on %d: %s", s.Name, lang, got, width, line)
					}
				}
			}
			bars := map[int]bool{}
			for line := range strings.Lines(whatIfShown(t, s, lang, 80, markdown)) {
				if strings.HasPrefix(line, "|") {
					bars[strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")] = true
				}
			}
			if len(bars) != 1 {
				t.Errorf("%s, %s: a table's lines have as many bars as these: %v", s.Name, lang, bars)
			}
		}
	}
}

// cells are those of a lab in which nothing holds.
func cells(s scenarios.Scenario) []whatIfCell {
	var all []whatIfCell
	for _, step := range s.Steps(scenarios.Setting{Values: s.Defaults()}) {
		for _, c := range step.Checks {
			all = append(all, whatIfCell{Step: step.ID, ID: c.ID, Outcome: "missing"})
		}
	}
	return all
}

// whatIfShown shows a matrix of trials whose results are made up.
func whatIfShown(t *testing.T, s scenarios.Scenario, lang string, width int, output string) string {
	t.Helper()
	t.Setenv("COLUMNS", fmt.Sprint(width))
	var out bytes.Buffer
	a := &app{stdout: &out, stderr: os.Stderr, lang: lang, output: output}
	if err := a.speak(lang); err != nil {
		t.Fatal(err)
	}
	view, err := a.whatIfView(s, s.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	trials := []trial{{}}
	for _, id := range stepIDs(s) {
		trials = append(trials, trial{Skip: []string{id}})
	}
	for _, setting := range a.settings(s) {
		name, value, _ := strings.Cut(setting, "=")
		if value != "" {
			trials = append(trials, trial{Set: []setTo{{name, value}}})
		}
	}
	view.start(trials)
	for i, trial := range trials {
		view.row(whatIfRow{
			trial: trial, Checks: cells(s), Same: i%2 == 1,
			Refused: []whatIfRefused{{"step", "", "ip -n ns1 route add default via 169.254.1.1 dev c-eth0", "add the route: network is unreachable"}},
			Causes:  []whatIfCause{{ID: "rp-filter", Values: map[string]string{"dev": "veth", "value": "2", "subnet": "1.1.1.0/24"}}},
		})
	}
	view.end(whatIfEnd{Holds: true, Needed: stepIDs(s)})
	return out.String()
}

// A trial that can't be made says why, in the words of the netlab inside, and ends with
// its exit code.
func TestATrialThatCanNotBeMadeSaysWhy(t *testing.T) {
	s, _ := scenarios.Named("proxyarp")
	for _, tt := range []struct {
		said, want string
		status     exitStatus
	}{
		{"netlab: no room\n", "try proxyarp (masquerade): no room", exitCannot},
		{"netlab: not like this\n", "try proxyarp (masquerade): not like this", exitUsage},
		{"", "try proxyarp (masquerade): exit status 1", exitFailed},
	} {
		var stderr bytes.Buffer
		a := &app{stdout: &stderr, stderr: &stderr}
		if err := a.speak("en"); err != nil {
			t.Fatal(err)
		}
		err := a.refusedTrial(s, trial{Skip: []string{"masquerade"}}, tt.said, tt.status)
		if code := exitCode(err); code != int(tt.status) {
			t.Errorf("exit code %d, want %d", code, tt.status)
		}
		if a.complain(err); !strings.Contains(stderr.String(), tt.want) {
			t.Errorf("it says %q, want %q", stderr.String(), tt.want)
		}
	}
}
