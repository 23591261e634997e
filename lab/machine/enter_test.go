package machine

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
)

func TestNetlabRunsItselfInside(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	s := startSandbox(t, "inner")
	t.Chdir("/usr")
	cmd, err := s.Netlab(t.Context(), "look-around")
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got around
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(around{Sandbox: "inner", Dir: "/usr"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestCommandPassesOnWhatItIsGiven(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	s := startSandbox(t, "pass")
	cmd, err := s.Command(t.Context(), "sh", "-c", "cat; exit 7")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = strings.NewReader("through")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 || string(out) != "through" {
		t.Errorf("got %q, %v; want \"through\" and exit code 7", out, err)
	}
	if _, err := s.Command(t.Context()); err == nil {
		t.Error("no command passes")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if cmd, err = s.Command(ctx, "sleep", "60"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Run(); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("the end of its context: %v after %v", err, time.Since(began))
	}
}

func TestNoNsenterIsSaid(t *testing.T) {
	if _, err := findNsenter(t.TempDir()); !errors.Is(err, ErrNoNsenter) {
		t.Errorf("got %v, want ErrNoNsenter", err)
	}
}
