package kerneltest

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// Sh runs commands, one a line, in the test's own namespaces, and waits until the links
// are Settled.
func Sh(t *testing.T, commands string) {
	t.Helper()
	for line := range strings.Lines(commands) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.TrimSpace(line), err, out)
		}
	}
	Settled(t)
}

// Settled waits until the kernel has drawn the consequences of all carriers that came
// or went: that a link runs, and a bridge's port forwards. It does so a while later
// (net/core/link_watch.c), on a busy machine a long while.
func Settled(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		late := unsettled(t)
		if len(late) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("links that have a carrier and don't run, or the other way round: %v", late)
		}
	}
}

// unsettled are the links whose operational state is not yet that of their carrier.
func unsettled(t *testing.T) []string {
	t.Helper()
	spaces, _ := os.ReadDir("/run/netns") // not there: there are none
	all := [][]string{{"-j", "link"}}
	for _, s := range spaces {
		all = append(all, []string{"-n", s.Name(), "-j", "link"})
	}
	var late []string
	for _, argv := range all {
		out, err := exec.Command("ip", argv...).Output()
		if err != nil {
			continue // one that a test has spoilt
		}
		var links []struct {
			Name  string   `json:"ifname"`
			State string   `json:"operstate"`
			Flags []string `json:"flags"`
		}
		if err := json.Unmarshal(out, &links); err != nil {
			t.Fatalf("ip %s: %v", strings.Join(argv, " "), err)
		}
		for _, l := range links {
			carrier := slices.Contains(l.Flags, "UP") && slices.Contains(l.Flags, "LOWER_UP")
			if carrier != (l.State == "UP") && l.State != "UNKNOWN" && l.State != "DORMANT" {
				late = append(late, l.Name)
			}
		}
	}
	return late
}
