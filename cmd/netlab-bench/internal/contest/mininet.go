package contest

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Where Debian's package mininet puts what mininet.py imports, for which python.
const (
	python     = "/usr/bin/python3"
	mininetDir = "/usr/lib/python3/dist-packages/mininet"
)

//go:embed mininet.py
var mininetProgram string

// mininet is Mininet with one LinuxBridge and a host for each pod. Its hosts live
// in namespaces without a name, each held by a shell, and go with the program:
// it builds, says so, and waits to be told to stop.
type mininet struct {
	Bed
	cmd   *exec.Cmd
	stdin io.WriteCloser
	pids  []string
}

func (m *mininet) Prepare() error { return nil }

func (m *mininet) Build() (Usage, error) {
	m.cmd = exec.Command(python, "-c", mininetProgram, strconv.Itoa(m.Pods))
	m.cmd.Stderr = os.Stderr
	stdin, err := m.cmd.StdinPipe()
	if err != nil {
		return Usage{}, err
	}
	stdout, err := m.cmd.StdoutPipe()
	if err != nil {
		return Usage{}, err
	}
	if err := m.cmd.Start(); err != nil {
		return Usage{}, fmt.Errorf("start Mininet: %w", err)
	}
	m.stdin = stdin
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return Usage{}, fmt.Errorf("build with Mininet: %w", err)
	}
	m.pids = strings.Fields(line)
	if len(m.pids) != m.Pods {
		return Usage{}, fmt.Errorf("of %d hosts Mininet has %d: %s", m.Pods, len(m.pids), line)
	}
	return Usage{}, nil // the program has not ended: nobody can tell
}

func (m *mininet) Namespaces() []string {
	paths := make([]string, len(m.pids))
	for i, pid := range m.pids {
		paths[i] = "/proc/" + pid + "/ns/net"
	}
	return paths
}

func (m *mininet) Undo() error {
	if err := m.stdin.Close(); err != nil {
		return err
	}
	if err := m.cmd.Wait(); err != nil {
		return fmt.Errorf("stop Mininet: %w", err)
	}
	return nil
}
