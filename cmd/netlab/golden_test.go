package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/journal"
	"netlab/lab/kernel/kerneltest"
)

// What netlab prints, on a clock that ticks a millisecond at every look, and
// with one MAC: the kernel draws them.
func TestOutputIsAsWrittenDown(t *testing.T) {
	for _, tt := range []struct {
		name string
		args [][]string // run in order; the last one's output counts
	}{
		{name: "dry-run.txt", args: [][]string{{"run", "proxyarp", "--dry-run"}}},
		{name: "dry-run-sandbox.txt", args: [][]string{{"run", "proxyarp", "--dry-run", "--sandbox", "--nat", "nftables", "-v"}}},
		{name: "dry-run.json", args: [][]string{{"run", "proxyarp", "--dry-run", "-o", "json"}}},
		{name: "run.txt", args: [][]string{{"run", "proxyarp"}}},
		{name: "run-verbose.txt", args: [][]string{{"run", "proxyarp", "-v"}}},
		{name: "dry-run-zh.txt", args: [][]string{{"run", "proxyarp", "--dry-run", "--lang", "zh"}}},
		{name: "run-zh.txt", args: [][]string{{"run", "proxyarp", "--lang", "zh"}}},
		{name: "run-verbose-zh.txt", args: [][]string{{"run", "proxyarp", "-v", "--lang", "zh"}}},
		{name: "teardown-zh.txt", args: [][]string{{"run", "proxyarp", "-q"}, {"teardown", "--lang", "zh"}}},
		{name: "script-zh.sh", args: [][]string{{"script", "proxyarp", "--lang", "zh"}}},
		{name: "run.json", args: [][]string{{"run", "proxyarp", "-o", "json"}}},
		{name: "again.txt", args: [][]string{{"run", "proxyarp", "-q"}, {"run", "proxyarp"}}},
		{name: "check.json", args: [][]string{{"run", "proxyarp", "-q"}, {"check", "-o", "json"}}},
		{name: "teardown.txt", args: [][]string{{"run", "proxyarp", "-q"}, {"teardown"}}},
		{name: "teardown.json", args: [][]string{{"run", "proxyarp", "-q"}, {"teardown", "-o", "json"}}},
		{name: "script.sh", args: [][]string{{"script", "proxyarp"}}},
		{name: "script-undo.sh", args: [][]string{{"script", "proxyarp", "--undo"}}},
		{name: "script-nftables.sh", args: [][]string{{"script", "proxyarp", "--nat", "nftables"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			pretendHost(t)
			var stdout, stderr bytes.Buffer
			for _, args := range tt.args {
				stdout.Reset()
				a := &app{
					args: args, stdin: &bytes.Buffer{}, stdout: &stdout, stderr: &stderr,
					now: ticking(), labs: journal.At(labsDir),
				}
				if code := a.main(); code != exitDone {
					t.Fatalf("%v: exit status %d\n%s%s", args, code, stdout.String(), stderr.String())
				}
			}
			got := regexp.MustCompile(`[0-9a-f]{2}(:[0-9a-f]{2}){5}`).ReplaceAll(stdout.Bytes(), []byte("02:00:5e:00:53:01"))
			got = regexp.MustCompile(`"rtt_us":"\d+"`).ReplaceAll(got, []byte(`"rtt_us":"42"`))
			path := filepath.Join("testdata", "golden", tt.name)
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got; go test ./cmd/netlab -run Output -update writes it anew):\n%s", path, diff)
			}
			if stderr.Len() > 0 {
				t.Errorf("on stderr: %s", stderr.String())
			}
		})
	}
}

// ticking is a clock that is a millisecond later at every look.
func ticking() func() time.Time {
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	return func() time.Time {
		at = at.Add(time.Millisecond)
		return at
	}
}
