package machine

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
)

func TestATrialLeavesNothingBehind(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	before := kerneltest.Snapshot(t)
	for _, sandbox := range []bool{false, true} {
		tried, err := Try(t.Context(), sandbox)
		if err != nil {
			t.Fatal(err)
		}
		for _, feature := range []string{TrySysctl, TryVeth, TryBridge, TryNftables, TryNftMasquerade, TryIptables} {
			said, ok := tried[feature]
			if _, err := exec.LookPath("iptables"); feature == TryIptables && err != nil {
				continue
			}
			if !ok || said != "" {
				t.Errorf("sandbox %t: %s: %t %q", sandbox, feature, ok, said)
			}
		}
	}
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Errorf("the host is another now (-before +after):\n%s", diff)
	}
}

func TestATrialIsRefusedInNamespacesThatAreNotItsOwn(t *testing.T) {
	own, err := ownNamespaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, outside := range []string{"", "1", strings.Join(own, " "), "mnt:[1] " + own[1], own[0] + " net:[1]"} {
		t.Setenv(holderEnv, outside)
		var said bytes.Buffer
		if err := RunTrial(&said); !errors.Is(err, ErrNoHolder) || said.Len() > 0 {
			t.Errorf("called from %q: got %v and %q, want ErrNoHolder", outside, err, said.String())
		}
	}
	if _, err := Try(t.Context(), true); err == nil {
		t.Error("a trial starts another")
	}
}

func TestAMachineWithoutUserNamespacesIsTold(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
		t.Fatal(err)
	}
	_, err := Try(t.Context(), true)
	var denied *NamespacesError
	if !errors.As(err, &denied) || len(denied.Knobs) != 1 || denied.Knobs[0].Key != "user.max_user_namespaces" {
		t.Errorf("got %v", err)
	}
	if _, err := Try(t.Context(), false); err != nil {
		t.Errorf("without a user namespace: %v", err)
	}
}

func TestWhatTheKernelRefusesIsToldInItsWords(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	// A stand-in for the program of a kernel without the target.
	script := "#!/bin/sh\n[ \"$1\" = --version ] && echo 'iptables v1.8.9 (nf_tables)' && exit\necho 'iptables v1.8.9 (nf_tables): Chain MASQUERADE does not exist' >&2\nexit 2\n"
	fake := t.TempDir() + "/iptables"
	if err := os.WriteFile(fake, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	real, err := exec.LookPath("iptables")
	if err != nil {
		t.Skip("no iptables to put another in the place of")
	}
	if out, err := exec.Command("mount", "--bind", fake, real).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	tried, err := Try(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(tried[TryIptables], "MASQUERADE does not exist") || tried[TryNftMasquerade] != "" {
		t.Errorf("got %v", tried)
	}
}
