package room

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"netlab/cmd/netlab-bench/internal/result"
	"netlab/cmd/netlab-bench/internal/ring"
)

// ask measures what is asked of a lab that stands: status, check, what all its
// checks take, and next to it what a dump of the pods takes.
func ask(netlab string, namespaces []string, r *result.Round) error {
	began := time.Now()
	if out, err := exec.Command(netlab, "status", "-o", "json").CombinedOutput(); err != nil {
		return fmt.Errorf("netlab status: %w: %s", err, out)
	}
	r.Status = since(began)

	began = time.Now()
	if out, err := exec.Command(netlab, "check", r.Lab, "-q").CombinedOutput(); err != nil {
		return fmt.Errorf("netlab check: %w: %s", err, out)
	}
	r.Check = since(began)

	out, err := exec.Command(netlab, "check", r.Lab, "-o", "json").Output()
	if err != nil {
		return fmt.Errorf("netlab check -o json: %w", err)
	}
	for line := range bytes.Lines(out) {
		var e struct {
			Type    string
			Elapsed float64 `json:"elapsed_ms"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("read what netlab printed: %w", err)
		}
		if e.Type == "check" {
			r.Verify += e.Elapsed
			r.Verified++
		}
	}
	began = time.Now()
	if err := ring.Dump(namespaces); err != nil {
		return err
	}
	r.Dump = since(began)
	return nil
}

// watchFiles counts the files that this process's child has open, again and again.
// The function that it returns ends that and tells the most that there were.
func watchFiles() (stop func() int) {
	end, most := make(chan struct{}), make(chan int)
	go func() {
		seen := 0
		for {
			for _, pid := range children() {
				open, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "fd"))
				if err == nil { // it may just have ended
					seen = max(seen, len(open))
				}
			}
			select {
			case <-end:
				most <- seen
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() int {
		close(end)
		return <-most
	}
}

// children are the processes that this one has started.
func children() []int {
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return nil
	}
	var pids []int
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue
		}
		words := bufio.NewScanner(bytes.NewReader(text))
		words.Split(bufio.ScanWords)
		for words.Scan() {
			if pid, err := strconv.Atoi(words.Text()); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
