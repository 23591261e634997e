package doctor

import (
	"os"
	"os/exec"
	"testing"

	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// TestMain makes the test binary answer as netlab does, as a trial's child.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == machine.TryVerb {
		if err := machine.RunTrial(os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// pretendHost builds the small world in the test's own namespace.
func pretendHost(t *testing.T) *kernel.Kernel {
	t.Helper()
	k := kernel.Open()
	t.Cleanup(func() { _ = k.Close() })
	if err := machine.BuildWorld(k); err != nil {
		t.Fatal(err)
	}
	return k
}

// sh runs a script with bash -e, and fails the test when it fails.
func sh(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.Command("bash", "-ec", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("no %s here", p)
		}
	}
}
