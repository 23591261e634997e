package room

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"

	"netlab/cmd/netlab-bench/internal/result"
)

// calls has the minimal program build a lab and measure each kernel call.
func calls(minimal string, r result.Round) ([]result.Call, error) {
	out, err := exec.Command(minimal, "-calls", r.Lab, strconv.Itoa(r.Pods)).Output()
	if err != nil {
		return nil, fmt.Errorf("minimal -calls: %w", err)
	}
	var all []result.Call
	if err := json.Unmarshal(out, &all); err != nil {
		return nil, fmt.Errorf("read what minimal printed: %w", err)
	}
	return all, nil
}
