package kernel_test

import (
	"os/exec"
	"strings"
	"testing"

	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

func TestDigestChangesWithWhatPeopleSetAndWithNothingElse(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := kernel.Open()
	defer k.Close()
	sh := func(script string) {
		t.Helper()
		if out, err := exec.Command("bash", "-ec", script).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	digest := func() string {
		t.Helper()
		d, err := k.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	seen := map[string]string{}
	for _, script := range []string{
		"true",
		"ip netns add a",
		"ip link add v type veth peer name p netns a",
		"ip link set v up",
		"ip -n a link set p up",
		"ip -n a link set p address 02:00:00:00:00:01",
		"ip addr add 10.0.0.1/24 dev v",
		"ip -n a addr add 10.0.0.2/24 dev p",
		"ip -n a route add default via 10.0.0.1",
		"ip -n a rule add from 10.9.9.9 table 7",
		"ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v nud permanent",
		"echo 1 > /proc/sys/net/ipv4/conf/v/proxy_arp",
		"ip netns exec a sh -c 'echo 1 > /proc/sys/net/ipv4/neigh/p/proxy_delay'",
		"iptables -t nat -A POSTROUTING -j MASQUERADE",
		"ip netns exec a nft add table ip mine",
		"ip netns del a",
	} {
		sh(script)
		d := digest()
		if before, known := seen[d]; known {
			t.Errorf("after %q it is as after %q", script, before)
		}
		seen[d] = script
		// What only looks, and what the kernel learns.
		sh("ip addr >/dev/null; iptables -t nat -S >/dev/null; nft list ruleset >/dev/null; ping -c1 -W1 10.0.0.2 >/dev/null 2>&1 || true")
		if again := digest(); again != d {
			t.Errorf("after %q it changes by itself", script)
		}
	}
	sh("ip link del v")
	if _, known := seen[digest()]; known {
		t.Errorf("of a device that is gone: %s", strings.TrimSpace(seen[digest()]))
	}
}
