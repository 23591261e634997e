// Package result is what the benchmark measured, as it is kept in a file, and what
// follows from it: medians, ratios, and which goals are met.
package result

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Results are one run of the benchmark. Times are wall time in milliseconds.
type Results struct {
	Machine Machine `json:"machine"`
	// LeftOut are the contestants whose programs are not installed.
	LeftOut []string `json:"left_out,omitempty"`
	// Failed are the rounds in which a lab was not built, or did not work.
	Failed []Round `json:"failed,omitempty"`
	Rounds []Round `json:"rounds"`
	// Turns are those of the scenario proxyarp against its script.
	Turns []Turn `json:"turns,omitempty"`
	// Small is what else was measured at proxyarp.
	Small Small `json:"small"`
	// Calls are the kernel calls of the minimal program.
	Calls Calls `json:"calls"`
	// Counts are how many kernel calls netlab and the minimal program make for a pod;
	// none where strace is not installed.
	Counts []Count `json:"counts,omitempty"`
}

// Machine is where it was measured.
type Machine struct {
	Date     string            `json:"date"` // day
	Kernel   string            `json:"kernel"`
	OS       string            `json:"os"`
	CPU      string            `json:"cpu"`
	CPUs     int               `json:"cpus"`
	Versions map[string]string `json:"versions"`
}

// Round is one lab built, proved to work and taken away by one contestant, in
// namespaces that were made for it. What does not apply is 0.
type Round struct {
	Contestant string `json:"contestant"`
	Lab        string `json:"lab"`
	Pods       int    `json:"pods"`
	Round      int    `json:"round"` // from 0; those of a number ran one after the other
	// Watched: open files were counted meanwhile, so the times don't count.
	Watched bool `json:"watched,omitempty"`

	Build    float64 `json:"build_ms"`               // from the start of the program to its end
	BuildCPU float64 `json:"build_cpu_ms,omitempty"` // its own and the kernel's in its calls
	Ring     float64 `json:"ring_ms"`                // the benchmark's own pings

	UndoReturned float64 `json:"undo_returned_ms,omitempty"` // until the program's end
	UndoGone     float64 `json:"undo_gone_ms,omitempty"`     // until the host's ends are gone
	UndoFreed    float64 `json:"undo_freed_ms,omitempty"`    // until the kernel counts no namespace of it

	Verify   float64 `json:"verify_ms,omitempty"` // all checks of all steps, as netlab times them
	Verified int     `json:"verified,omitempty"`  // how many checks those were
	Check    float64 `json:"check_ms,omitempty"`  // netlab check
	Status   float64 `json:"status_ms,omitempty"` // netlab status
	Dump     float64 `json:"dump_ms,omitempty"`   // one dump of all links, addresses and routes

	// Broken is how many times a pod, drawn by lot, was told not to answer pings, and
	// Noticed how many times netlab check said so.
	Broken  int `json:"broken,omitempty"`
	Noticed int `json:"noticed,omitempty"`

	RSS   int `json:"rss_kib,omitempty"`     // the most that the building program had resident
	Files int `json:"files,omitempty"`       // the most that it had open
	Limit int `json:"files_limit,omitempty"` // how many it was allowed
}

// Turn is one side's turn at proxyarp.
type Turn struct {
	Side string  `json:"side"`
	Turn int     `json:"turn"`
	MS   float64 `json:"ms"`
}

// Small is what there is to know of a lab of one pod, and of starting at all.
type Small struct {
	BeforeID string    `json:"before_id,omitempty"` // the slowest check before its step
	Before   float64   `json:"before_ms,omitempty"`
	Help     []float64 `json:"help_cpu_ms,omitempty"` // netlab --help, time on a CPU
}

// Calls are the kernel calls that made a lab, measured one by one.
type Calls struct {
	Lab  string `json:"lab"`
	Pods int    `json:"pods"`
	Of   []Call `json:"of"`
}

// Call is all calls of one kind.
type Call struct {
	Stage string  `json:"stage"`
	Call  string  `json:"call"`
	Count int     `json:"count"`
	MS    float64 `json:"ms"`
}

// Count is how often a kernel call was made for each pod.
type Count struct {
	Contestant string  `json:"contestant"`
	Call       string  `json:"call"`
	PerPod     float64 `json:"per_pod"`
}

// Read reads a file that Write wrote.
func Read(path string) (*Results, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Results{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return r, nil
}

// Write keeps the results in a file, and makes its directory.
func (r *Results) Write(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
