package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/clipperhouse/displaywidth"
	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest"
)

// session is a netlab on a pseudo-terminal, and what it has printed.
type session struct {
	t    *testing.T
	tty  *os.File
	cmd  *exec.Cmd
	was  unix.Termios
	done chan struct{}

	mu   sync.Mutex
	out  bytes.Buffer
	read int // how much of out was expected already
}

// onTerminal starts netlab on a terminal of that width.
func onTerminal(t *testing.T, columns uint16, env []string, args ...string) *session {
	t.Helper()
	s := &session{t: t, cmd: exec.Command("netlab", args...), done: make(chan struct{})}
	ptmx, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = tty.Close(), ptmx.Close() })
	s.tty = ptmx
	if err := pty.Setsize(ptmx, &pty.Winsize{Rows: 40, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	s.was = s.termios()
	s.cmd.Env = append(append(os.Environ(), "LC_ALL=C.UTF-8", "TERM=xterm"), env...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = tty, tty, tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := ptmx.Read(buf)
			s.mu.Lock()
			s.out.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() {
		_ = s.cmd.Wait() // the exit code says it
		close(s.done)
	}()
	return s
}

func (s *session) termios() unix.Termios {
	s.t.Helper()
	t, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return *t
}

// expect waits until text was printed, after what was expected before.
func (s *session) expect(text string) {
	s.t.Helper()
	defer func() {
		if s.t.Failed() {
			s.t.Logf("printed:\n%s", s.printed())
		}
	}()
	waitFor(s.t, text, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		printed := uncoloured(s.out.String())
		at := strings.Index(printed[s.read:], text)
		if at >= 0 {
			s.read += at + len(text)
		}
		return at >= 0
	})
}

func (s *session) types(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.tty, keys); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for netlab's end, with that exit code and the terminal as it was.
func (s *session) ends(code int) {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		s.t.Fatalf("it does not end:\n%s", s.printed())
	}
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit status %d, want %d\n%s", got, code, s.printed())
	}
	if diff := cmp.Diff(s.was, s.termios()); diff != "" {
		s.t.Errorf("the terminal is not as it was:\n%s", diff)
	}
}

func (s *session) printed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uncoloured(s.out.String())
}

// uncoloured is what a person reads of what a terminal is sent.
func uncoloured(sent string) string {
	return regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]|\r`).ReplaceAllString(sent, "")
}

func TestStepMode(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  []string
		play func(t *testing.T)
	}{
		{name: "predict, run, look, understand", play: func(t *testing.T) {
			s := onTerminal(t, 80, nil, "run", "proxyarp", "--step")
			s.expect("Not run yet:")
			s.expect("$ ip netns add ns1")
			s.expect("? What will ns1 have")
			s.expect("[Enter: run it")
			if out := sh(t, "ls /run/netns"); strings.Contains(out, "ns1") {
				t.Error("it ran before Enter")
			}
			s.types("2")
			s.expect("You say: one interface, lo")
			s.types("\n")
			s.expect("ns1 has interfaces of its own: lo")
			s.expect("→ Look:")
			s.expect("As you said: one interface")
			s.expect("[Enter: next")
			s.types(" ")
			s.expect("[2/7]")
			s.expect("[Enter: run it")
			s.types("1\n")
			s.expect("You said: as it was")
			s.expect("What came: down, and")
			s.types("\n")
			s.expect("[3/7]")
			s.types("\n")
			s.expect("refused, as expected: Nexthop has invalid gateway")
			s.expect("What came: it refuses")
			for _, n := range []string{"4", "5", "6", "7"} {
				s.types("\n")
				s.expect("[" + n + "/7]")
				s.expect("[Enter: run it")
				s.types("\n")
				s.expect("→ Look:")
				s.expect("[Enter:")
			}
			s.types("\n")
			s.expect("up: steps 7/7")
			s.ends(exitDone)
		}},
		{name: "look back, check again, help, list, keys", play: func(t *testing.T) {
			s := onTerminal(t, 80, nil, "run", "proxyarp", "--step", "--no-before")
			s.expect("[Enter: run it")
			s.types("b")
			s.expect("This is the first step.")
			s.types("r")
			s.expect("This step has not run yet")
			s.types("h")
			s.expect("A named namespace is a file")
			s.types("?")
			s.expect("look back at earlier steps")
			s.types("x")
			s.expect("these keys")
			s.types("l")
			s.expect("→ 1 A network stack of its own")
			s.expect("[number: look at a step that is done")
			s.types("5") // run up to the fifth
			s.expect("[5/7]")
			s.expect("[Enter: run it")
			if out := sh(t, "netlab status"); !strings.Contains(out, "4 of 7 steps done") {
				t.Errorf("after running up to the fifth: %s", out)
			}
			s.types("b")
			s.expect("[4/7]")
			s.expect("the host passes it on")
			s.expect("[a look back")
			s.types("b")
			s.expect("[3/7]")
			s.expect("[a look back")
			s.types("\n")
			s.expect("[Enter: run it")
			s.types("\n")
			s.expect("[Enter: next")
			s.types("r")
			s.expect("169.254.1.1 is at")
			s.expect("[Enter: next")
			s.types("q")
			s.expect("so far: steps 5/7")
			s.expect("go on:       netlab run proxyarp")
			s.ends(exitDone)

			s = onTerminal(t, 80, nil, "run", "proxyarp", "--step")
			s.expect("[6/7]")
			s.types("b")
			s.expect("[5/7]")
			s.types("\n")
			s.types("q")
			s.ends(exitDone)
		}},
		{name: "keys typed while a step runs are dropped", play: func(t *testing.T) {
			s := onTerminal(t, 80, nil, "run", "proxyarp", "--step", "--until", "namespace")
			s.expect("[Enter: run it")
			s.types("\nqqq")
			s.expect("[Enter: next")
			s.types("\n")
			s.expect("so far: steps 1/7")
			s.ends(exitDone)
		}},
		{name: "Ctrl-C", play: func(t *testing.T) {
			s := onTerminal(t, 80, nil, "run", "proxyarp", "--step")
			s.expect("[Enter: run it")
			s.types("\n")
			s.expect("[Enter: next")
			s.types("\x03")
			s.expect("stopped: steps 1/7")
			s.ends(exitInterrupted)
		}},
		{name: "SIGTERM", play: func(t *testing.T) {
			s := onTerminal(t, 80, nil, "run", "proxyarp", "--step")
			s.expect("[Enter: run it")
			if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			s.expect("stopped:")
			s.ends(exitInterrupted)
		}},
		{name: "a shell and back", env: []string{"SHELL=/bin/sh"}, play: func(t *testing.T) {
			s := onTerminal(t, 80, []string{"SHELL=/bin/sh", "PS1=inside> "}, "run", "proxyarp", "--step")
			s.expect("[Enter: run it")
			s.types("\n")
			s.expect("[Enter: next")
			s.types("s")
			s.expect("[a shell in 1: ns1")
			s.types("1")
			s.expect("inside> ")
			s.types("ls /sys/class/net | tr '\\n' '.'\n")
			s.expect("lo.")
			s.expect("inside> ")
			s.types("\x03")
			s.expect("inside> ")
			s.types("exit\n")
			s.expect("[Enter: next")
			s.types("q")
			s.ends(exitDone)
		}},
		{name: "a step that fails can be tried again", play: func(t *testing.T) {
			sh(t, "iptables -t mangle -A POSTROUTING -o up0 -j DROP")
			s := onTerminal(t, 80, nil, "run", "proxyarp", "--step", "--no-before")
			s.expect("[Enter: run it")
			s.types("l")
			s.expect("[number: look")
			s.types("7")
			s.expect("[7/7]")
			s.expect("[Enter: run it")
			s.types("\n")
			s.expect("POSTROUTING")
			s.expect("[Enter: try the step again")
			sh(t, "iptables -t mangle -F POSTROUTING")
			s.types("\n")
			s.expect("it leaves up0 as 192.0.2.2")
			s.expect("[Enter: finish")
			s.types("\n")
			s.expect("up: steps 7/7")
			s.ends(exitDone)
		}},
		{name: "60 columns", play: func(t *testing.T) {
			s := onTerminal(t, 60, nil, "run", "proxyarp", "--step", "--auto", "1ms", "--until", "routes")
			s.expect("so far:")
			s.ends(exitDone)
			fits(t, s.printed(), 60)
		}},
		{name: "the other language", play: func(t *testing.T) {
			s := onTerminal(t, 60, nil, "run", "proxyarp", "--step")
			s.expect("[Enter: run it")
			s.types("L")
			s.expect("还没有执行")
			s.types("\n")
			s.expect("[Enter：下一步")
			s.types("L")
			s.expect("Look:")
			s.types("q")
			s.ends(exitDone)
			fits(t, s.printed(), 60)
		}},
		{name: "in a sandbox", play: func(t *testing.T) {
			s := onTerminal(t, 80, nil, "run", "proxyarp", "--step", "--sandbox", "--no-before")
			s.expect("[Enter: run it")
			s.types("\n")
			s.expect("[Enter: next")
			s.types("\x03")
			s.expect("stopped: steps 1/7")
			s.ends(exitInterrupted)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			pretendHost(t)
			tt.play(t)
			sh(t, "netlab teardown --all -q")
		})
	}
}

// fits holds every line against the width of the terminal.
func fits(t *testing.T, printed string, width int) {
	t.Helper()
	for line := range strings.SplitSeq(printed, "\n") {
		if w := (displaywidth.Options{ControlSequences: true}).String(strings.TrimRight(line, "\r")); w > width {
			t.Errorf("%d columns, of %d: %s", w, width, line)
		}
	}
}

func TestStepModeNeedsATerminal(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	before := kerneltest.Snapshot(t)
	code, out := status(t, "netlab run proxyarp --step </dev/null")
	if code != exitUsage || !strings.Contains(out, "--auto 3s") {
		t.Errorf("exit status %d: %s", code, out)
	}
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Error(diff)
	}
	out = sh(t, "netlab run proxyarp --step --auto 1ms --transcript handout.md </dev/null; cat handout.md; rm handout.md; netlab teardown -q")
	for _, want := range []string{"up: steps 7/7", "# proxyarp: a pod whose gateway does not exist", "## 3. Two routes, in this order", "$ ip -n ns1 route add default via 169.254.1.1 dev c-eth0", "- it refuses"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
