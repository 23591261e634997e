package machine

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func after(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	return rest
}

func TestParseStat(t *testing.T) {
	rest := " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21"
	for _, tt := range []struct {
		name, stat, state string
		start             uint64
		fails             bool
	}{
		{"plain name", "7 (netlab) S" + rest, "S", 4711, false},
		{"name with spaces and parentheses", "7 (a) R 1 (b c) Z" + rest, "Z", 4711, false},
		{"name with a newline", "7 (a\n) b) S" + rest, "S", 4711, false},
		{"no name", "7 S 1", "", 0, true},
		{"cut short", "7 (netlab) S 1 2 3", "", 0, true},
		{"start time no number", "7 (netlab) S" + strings.Replace(rest, "4711", "x", 1), "", 0, true},
		{"empty", "", "", 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			state, start, err := parseStat([]byte(tt.stat))
			if (err != nil) != tt.fails {
				t.Fatalf("err = %v", err)
			}
			if err == nil && (state != tt.state || start != tt.start) {
				t.Errorf("got %s %d, want %s %d", state, start, tt.state, tt.start)
			}
		})
	}
}

func TestStartTimeTellsTheLivingFromTheDead(t *testing.T) {
	mine, err := startTime(os.Getpid())
	if err != nil || mine == 0 {
		t.Fatalf("my own start time: %d, %v", mine, err)
	}
	child := exec.Command("/bin/true")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for { // a zombie until it is reaped
		_, err = startTime(child.Process.Pid)
		if errors.Is(err, fs.ErrNotExist) || time.Now().After(deadline) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a zombie: %v, want ErrNotExist", err)
	}
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := startTime(child.Process.Pid); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a reaped one: %v, want ErrNotExist", err)
	}
}

func TestEndProcess(t *testing.T) {
	start := func(t *testing.T, script string) (*exec.Cmd, uint64, chan error) {
		t.Helper()
		cmd := exec.Command("/bin/sh", "-c", script)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil { // its trap is set
			t.Fatal(err)
		}
		begun, err := startTime(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		return cmd, begun, ended
	}
	t.Run("by SIGTERM", func(t *testing.T) {
		cmd, begun, ended := start(t, "echo; exec sleep 60")
		if err := endProcess(cmd.Process.Pid, begun, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !strings.Contains(err.Error(), "terminated") {
			t.Errorf("it ended with %v", err)
		}
		if err := endProcess(cmd.Process.Pid, begun, time.Second); err != nil {
			t.Errorf("a second time: %v", err)
		}
	})
	t.Run("by SIGKILL when it ignores SIGTERM", func(t *testing.T) {
		cmd, begun, ended := start(t, "trap '' TERM; echo; exec sleep 60")
		if err := endProcess(cmd.Process.Pid, begun, 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !strings.Contains(err.Error(), "killed") {
			t.Errorf("it ended with %v", err)
		}
	})
	t.Run("not one with another start time", func(t *testing.T) {
		cmd, begun, ended := start(t, "echo; exec sleep 60")
		if err := endProcess(cmd.Process.Pid, begun+1, 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if _, err := startTime(cmd.Process.Pid); err != nil {
			t.Errorf("it was hit: %v", err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-ended
	})
}
