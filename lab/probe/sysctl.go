package probe

import (
	"context"
	"slices"
	"strings"
	"time"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Sysctl reads a setting of a namespace, on a thread that visits it. It waits for
// nothing. Outcomes:
//
//   - "is" (holds): "value"
//   - "differs": "value" and "want"
//   - "missing": no such namespace or setting, as when its device is not there
type Sysctl struct {
	NS string `json:"ns,omitempty"`
	// Key is the path below /proc/sys, with slashes: device names may hold dots.
	Key  string `json:"key"`
	Want string `json:"want"`
}

// Command names the key with dots, as sysctl(8) prints it, unless a device's name
// in it holds one.
func (p Sysctl) Command() lab.Command {
	key := p.Key
	if !strings.Contains(key, ".") {
		key = strings.ReplaceAll(key, "/", ".")
	}
	return lab.In(p.NS, "sysctl", key)
}

func (p Sysctl) Try(_ context.Context, k *kernel.Kernel, _ time.Duration) (lab.Observation, error) {
	n, err := k.Namespace(p.NS)
	if err != nil {
		return missing(err)
	}
	value, err := n.Sysctl(p.Key)
	if err != nil {
		return missing(err)
	}
	values := map[string]string{"value": value}
	// Between several words stand tabs.
	if !slices.Equal(strings.Fields(value), strings.Fields(p.Want)) {
		values["want"] = p.Want
		return lab.Observation{Outcome: "differs", Values: values}, nil
	}
	return lab.Observation{Holds: true, Outcome: "is", Values: values}, nil
}
