// Package contest is those who build pods against each other: netlab, the minimal
// program, the commands that netlab prints, run by bash and through `ip -batch`,
// the CNI ptp plugin and Mininet.
package contest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"netlab/cmd/netlab-bench/internal/result"
	"netlab/lab/kernel"
)

// Bed is what a contestant is given: a pretend host, in which the calling process
// is, and what to build there.
type Bed struct {
	Netlab, Minimal string // the programs
	Lab             string
	Pods            int
	Dir             string // an empty directory of its own
}

// Contestant is one of them at work on a bed.
type Contestant interface {
	// Prepare is what others need not wait for, such as writing the script down.
	Prepare() error
	// Build is what is timed.
	Build() (Usage, error)
	// Namespaces are the pods' network namespaces, as paths, one that only watches
	// left out.
	Namespaces() []string
	// Undo takes the lab away. It may return before the kernel has let go.
	Undo() error
}

// Usage is what the programs that built a lab took: their time on a CPU, and the
// most memory that one of them had.
type Usage struct {
	CPU float64 // milliseconds
	RSS int     // KiB
}

// Names are all contestants, in the order in which results show them. result.NoBefore
// is none of its own.
func Names() []string {
	return []string{result.Netlab, result.Minimal, result.Batch, result.Plugin, result.Mininet, result.Bash}
}

// Lab is the one that a contestant builds where the question is of calico's pods:
// its own kind, where it has one.
func Lab(contestant string) string {
	switch contestant {
	case result.Plugin:
		return result.PTP
	case result.Mininet:
		return result.Switch
	}
	return result.Calico
}

// Missing is the first thing that a contestant needs and is not installed.
func Missing(contestant string) string {
	needs := map[string][]string{
		result.Bash:    {"bash", "ip", "sysctl"},
		result.Batch:   {"bash", "ip", "sysctl"},
		result.Plugin:  {pluginDir + "/ptp", pluginDir + "/host-local"},
		result.Mininet: {python, mininetDir, "mnexec", "brctl", "ifconfig"},
	}
	for _, need := range needs[contestant] {
		if filepath.IsAbs(need) {
			if _, err := os.Stat(need); err != nil {
				return need
			}
		} else if _, err := exec.LookPath(need); err != nil {
			return need
		}
	}
	return ""
}

// New is the contestant of that name.
func New(name string, b Bed) (Contestant, error) {
	switch name {
	case result.Netlab, result.NoBefore, result.Minimal:
		return &program{b, Command(name, b)}, nil
	case result.Bash:
		return &script{Bed: b}, nil
	case result.Batch:
		return &script{Bed: b, batch: true}, nil
	case result.Plugin:
		return &plugin{Bed: b}, nil
	case result.Mininet:
		return &mininet{Bed: b}, nil
	}
	return nil, fmt.Errorf("no contestant %q", name)
}

// Commands are one program's that builds a lab, and takes it away.
type Commands struct{ Build, Undo []string }

// Command is that of netlab or of the minimal program.
func Command(name string, b Bed) Commands {
	pods := strconv.Itoa(b.Pods)
	if name == result.Minimal {
		return Commands{Build: []string{b.Minimal, b.Lab, pods}, Undo: []string{b.Minimal, "-undo", b.Lab, pods}}
	}
	c := Commands{
		Build: []string{b.Netlab, "run", b.Lab, "--pods", pods, "-q"},
		Undo:  []string{b.Netlab, "teardown", b.Lab, "-q"},
	}
	if name == result.NoBefore {
		c.Build = append(c.Build, "--no-before")
	}
	return c
}

// Namespaces are pod1 and so on, as netlab names them.
func (b Bed) Namespaces() []string {
	paths := make([]string, b.Pods)
	for i := range paths {
		paths[i] = filepath.Join(kernel.NetnsDir, "pod"+strconv.Itoa(i+1))
	}
	return paths
}

// program is a contestant that is one program, started once.
type program struct {
	Bed
	commands Commands
}

func (p *program) Prepare() error        { return nil }
func (p *program) Build() (Usage, error) { return run(p.commands.Build...) }

func (p *program) Undo() error {
	_, err := run(p.commands.Undo...)
	return err
}

// run runs a program to its end.
func run(argv ...string) (Usage, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return Usage{}, fmt.Errorf("%s: %w: %s", filepath.Base(argv[0]), err, last(out))
	}
	return usage(cmd.ProcessState), nil
}

func usage(s *os.ProcessState) Usage {
	u := Usage{CPU: float64((s.UserTime() + s.SystemTime()).Microseconds()) / 1000}
	if r, ok := s.SysUsage().(*syscall.Rusage); ok {
		u.RSS = int(r.Maxrss)
	}
	return u
}

// last is the end of an output, where the complaint is.
func last(out []byte) []byte { return out[max(0, len(out)-2000):] }
