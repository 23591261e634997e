// netlab-bench measures netlab against the same work done by iproute2. It prints
// ratios: both sides run in turns, in one pretend host, and medians are compared.
// It needs no root, and touches nothing of the machine.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
	"netlab/lab/machine"
)

const inside = "NETLAB_BENCH_INSIDE"

func main() {
	rounds := flag.Int("rounds", 21, "how often each side runs")
	netlab := flag.String("netlab", "bin/netlab", "the program to measure")
	flag.Parse()
	err := enter()
	if os.Getenv(inside) != "" {
		err = bench(*netlab, *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "netlab-bench:", err)
		os.Exit(1)
	}
}

// enter runs this program again in namespaces of its own.
func enter() error {
	if os.Getenv(inside) != "" {
		return nil
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	return cmd.Run()
}

// side is one way of doing the work, and how long each round of it took.
type side struct {
	name  string
	do    string // bash
	undo  string // bash, not timed
	times []time.Duration
}

func bench(netlab string, rounds int) error {
	for _, m := range [][2]string{{"tmpfs", "/run"}, {"sysfs", "/sys"}} {
		if err := unix.Mount(m[0], m[1], m[0], 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m[1], err)
		}
	}
	k := kernel.Open()
	defer k.Close()
	if err := machine.BuildWorld(k); err != nil {
		return err
	}
	if err := sh(netlab + " script proxyarp > /run/do.sh && " + netlab + " script proxyarp --undo > /run/undo.sh"); err != nil {
		return err
	}
	const pings = " && ip netns exec ns1 ping -qc1 192.0.2.2 && ip netns exec ns1 ping -qc1 192.0.2.1"
	undo := netlab + " teardown -q"
	sides := []*side{
		{name: "script, arping -c1, ping, ping", do: "bash /run/do.sh && ip netns exec ns1 arping -c1 -I c-eth0 169.254.1.1" + pings, undo: "bash /run/undo.sh"},
		{name: "script, arping -f -c1, ping, ping", do: "bash /run/do.sh && ip netns exec ns1 arping -f -c1 -I c-eth0 169.254.1.1" + pings, undo: "bash /run/undo.sh"},
		{name: "netlab run --no-before", do: "exec " + netlab + " run proxyarp --no-before -q", undo: undo},
		{name: "netlab run", do: "exec " + netlab + " run proxyarp -q", undo: undo},
	}
	for round := range rounds {
		for _, s := range sides {
			took, err := s.round()
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", s.name, round+1, err)
			}
			s.times = append(s.times, took)
		}
	}
	fmt.Printf("medians of %d rounds, in turns\n", rounds)
	for _, s := range sides {
		fmt.Printf("%-36s %8.1f ms\n", s.name, ms(median(s.times)))
	}
	ours := median(sides[2].times)
	fmt.Printf("netlab run --no-before / script with arping -c1:     %.2f (goal: at most 0.6)\n", ratio(ours, median(sides[0].times)))
	fmt.Printf("netlab run --no-before / script with arping -f -c1:  %.2f (arping that ends with the answer)\n", ratio(ours, median(sides[1].times)))
	if err := beforeChecks(netlab); err != nil {
		return err
	}
	return help(netlab, rounds)
}

// round does the work once, timed, and undoes it until nothing is left.
func (s *side) round() (time.Duration, error) {
	started := time.Now()
	if err := sh(s.do); err != nil {
		return 0, err
	}
	took := time.Since(started)
	if err := sh(s.undo); err != nil {
		return 0, err
	}
	for sh("ip link show dev veth") == nil { // the kernel drops it a little later
		time.Sleep(time.Millisecond)
	}
	return took, nil
}

// beforeChecks prints what the slowest check before its step costs.
func beforeChecks(netlab string) error {
	out, err := exec.Command(netlab, "run", "proxyarp", "--teardown", "-o", "json").Output()
	if err != nil {
		return fmt.Errorf("netlab run -o json: %w", err)
	}
	slowest, id := 0.0, ""
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var e struct {
			Phase, ID string
			Elapsed   float64 `json:"elapsed_ms"`
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("read what netlab printed: %w", err)
		}
		if e.Phase == "before" && e.Elapsed > slowest {
			slowest, id = e.Elapsed, e.ID
		}
	}
	fmt.Printf("slowest check before its step: %s, %.0f ms (goal: at most 300)\n", id, slowest)
	return nil
}

// help prints the CPU time that `netlab --help` takes, user and system.
func help(netlab string, rounds int) error {
	var times []time.Duration
	for range rounds {
		cmd := exec.Command(netlab, "--help")
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("netlab --help: %w", err)
		}
		times = append(times, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	fmt.Printf("netlab --help: %.1f ms of CPU (goal: under 10)\n", ms(median(times)))
	return nil
}

func sh(script string) error {
	out, err := exec.Command("bash", "-c", script).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

func ms(d time.Duration) float64       { return float64(d.Microseconds()) / 1000 }
func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
