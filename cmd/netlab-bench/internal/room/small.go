package room

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"

	"netlab/cmd/netlab-bench/internal/result"
)

// small measures what the slowest check before its step takes, and, as many times
// as told, the time that `netlab --help` takes on a CPU.
func small(netlab string, times int) (result.Small, error) {
	var s result.Small
	out, err := exec.Command(netlab, "run", "proxyarp", "--teardown", "-o", "json").Output()
	if err != nil {
		return s, fmt.Errorf("netlab run -o json: %w", err)
	}
	for line := range bytes.Lines(out) {
		var e struct {
			Phase, ID string
			Elapsed   float64 `json:"elapsed_ms"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			return s, fmt.Errorf("read what netlab printed: %w", err)
		}
		if e.Phase == "before" && e.Elapsed > s.Before {
			s.Before, s.BeforeID = e.Elapsed, e.ID
		}
	}
	for range times {
		used := exec.Command(netlab, "--help")
		if err := used.Run(); err != nil {
			return s, fmt.Errorf("netlab --help: %w", err)
		}
		cpu := used.ProcessState.UserTime() + used.ProcessState.SystemTime()
		s.Help = append(s.Help, float64(cpu.Microseconds())/1000)
	}
	return s, nil
}
