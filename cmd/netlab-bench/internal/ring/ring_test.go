package ring

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"netlab/lab/kernel/kerneltest"
)

// Three pods on a bridge: who does not answer is named.
func TestPingWantsAnAnswerFromEveryPod(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	sh(t, `ip link add br0 up type bridge; ip addr add 10.0.0.9/24 dev br0
		for i in 1 2 3; do
			ip netns add p$i; ip link add v$i up master br0 type veth peer name eth0 netns p$i
			ip -n p$i link set eth0 up; ip -n p$i addr add 10.0.0.$i/24 dev eth0
		done`)
	pods := []string{"/run/netns/p1", "/run/netns/p2", "/run/netns/p3"}
	if err := Ping(pods, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if left := sh(t, `ip -4 neigh; for i in 1 2 3; do ip -4 -n p$i neigh; done`); left != "" {
		t.Errorf("neighbours are left:\n%s", left)
	}
	if err := Dump(pods); err != nil {
		t.Error(err)
	}

	if err := Set(pods[1], "/proc/sys/net/ipv4/icmp_echo_ignore_all", "1"); err != nil {
		t.Fatal(err)
	}
	err := Ping(pods, 300*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "p1: no answer from 10.0.0.2") {
		t.Errorf("one does not answer: %v", err)
	}
}

func sh(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.Command("bash", "-ec", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
