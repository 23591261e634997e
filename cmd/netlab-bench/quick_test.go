package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"netlab/cmd/netlab-bench/internal/contest"
	"netlab/cmd/netlab-bench/internal/result"
)

// The benchmark itself works: everybody who is installed builds a lab of a few
// pods that works, and what is said about it is there.
func TestQuickRunMeasuresEverything(t *testing.T) {
	t.Parallel()
	dir := os.Getenv(programsDir)
	kept := filepath.Join(t.TempDir(), "results.json")
	bench := exec.Command(filepath.Join(dir, "netlab-bench"), "-quick", "-results", kept,
		"-netlab", filepath.Join(dir, "netlab"), "-minimal", filepath.Join(dir, "minimal"))
	bench.Env = append(os.Environ(), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	out, err := bench.CombinedOutput()
	if err != nil {
		if os.Getenv("NETLAB_REQUIRE_NETNS") == "1" || namespaces() == nil {
			t.Fatalf("netlab-bench: %v\n%s", err, out)
		}
		t.Skip("namespaces can't be made here")
	}
	t.Logf("%s", out)
	r, err := result.Read(kept)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range contest.Names() {
		f := r.Figure(result.Cell{Contestant: c, Lab: contest.Lab(c), Pods: 3}, result.Build)
		if left := slices.Contains(r.LeftOut, c); (f.N == 1) == left {
			t.Errorf("%s: %d rounds, left out: %v", c, f.N, left)
		}
	}
	for _, l := range []string{result.Calico, result.Bridge} {
		if f := r.Figure(result.Cell{Contestant: result.NoBefore, Lab: l, Pods: 3}, result.Made); f.N != 1 {
			t.Errorf("%s without the checks before its steps: %d rounds", l, f.N)
		}
	}
	netlab := result.Cell{Contestant: result.Netlab, Lab: result.Calico, Pods: 3}
	for name, of := range map[string]result.Of{
		"checks":   func(c result.Round) float64 { return c.Verify },
		"check":    func(c result.Round) float64 { return c.Check },
		"status":   func(c result.Round) float64 { return c.Status },
		"teardown": result.Freed,
		"memory":   func(c result.Round) float64 { return float64(c.RSS) },
	} {
		if r.Figure(netlab, of).N == 0 {
			t.Errorf("netlab: no figure for %s", name)
		}
	}
	if len(r.Turns) != 3 || len(r.Calls.Of) == 0 || len(r.Small.Help) == 0 {
		t.Errorf("%d turns at proxyarp, %d kernel calls, %d times --help", len(r.Turns), len(r.Calls.Of), len(r.Small.Help))
	}
}

// namespaces tells why nobody can make a room's namespaces here, and mount procfs.
func namespaces() error {
	return exec.Command("unshare", "-Urnmp", "--fork", "--mount-proc", "true").Run()
}
