package probe

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

// enough is a patience for answers that do come; brief for those that don't.
const (
	enough = 5 * time.Second
	brief  = 150 * time.Millisecond
)

// sh is kerneltest.Sh.
func sh(t *testing.T, commands string) {
	t.Helper()
	kerneltest.Sh(t, commands)
}

func openKernel(t *testing.T) *kernel.Kernel {
	t.Helper()
	k := kernel.Open()
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

// pair joins two namespaces, a and b, by a veth; their lo is up.
const pair = `
	ip netns add a
	ip netns add b
	ip -n a link set lo up
	ip -n b link set lo up
	ip -n a link add va type veth peer name vb netns b
	ip -n a link set va up
	ip -n b link set vb up
	ip -n a addr add 10.0.0.1/24 dev va
	ip -n b addr add 10.0.0.2/24 dev vb
`

// podded is the article's network: ns1 behind the test's own namespace, which is
// the host, and a namespace out beyond its uplink.
const podded = `
	ip link set lo up
	ip netns add out
	ip -n out link set lo up
	ip link add up0 type veth peer name eth0 netns out
	ip link set up0 up
	ip -n out link set eth0 up
	ip addr add 192.0.2.2/24 dev up0
	ip -n out addr add 192.0.2.1/24 dev eth0
	ip route add default via 192.0.2.1
	ip netns add ns1
	ip -n ns1 link set lo up
	ip link add veth type veth peer name c-eth0 netns ns1
	ip link set veth up
	ip -n ns1 link set c-eth0 up
	ip -n ns1 addr add 1.1.1.2/32 dev c-eth0
	ip -n ns1 route add 169.254.1.1 dev c-eth0 scope link
	ip -n ns1 route add default via 169.254.1.1 dev c-eth0
	ip route add 1.1.1.2/32 dev veth
	sysctl -qw net.ipv4.ip_forward=1
	sysctl -qw net.ipv4.conf.all.rp_filter=0
	sysctl -qw net.ipv4.conf.veth.rp_filter=0
	sysctl -qw net.ipv4.conf.veth.proxy_arp=1
	sysctl -qw net.ipv4.neigh.veth.proxy_delay=0
`

const masquerade = `
	nft add table ip lab
	nft add chain ip lab post { type nat hook postrouting priority 100 ; }
	nft add rule ip lab post ip saddr 1.1.1.0/24 masquerade
`

type trial struct {
	name  string
	setup string // commands before the attempt, on top of those before
	probe lab.Probe
	wait  time.Duration // patience; 0 is enough
	want  lab.Observation
	any   []string // values that must be there, whatever they are
}

// tryEach makes the attempts in order, in one network that changes as it goes.
func tryEach(t *testing.T, k *kernel.Kernel, trials []trial) {
	t.Helper()
	for _, tr := range trials {
		t.Run(tr.name, func(t *testing.T) {
			sh(t, tr.setup)
			if tr.wait == 0 {
				tr.wait = enough
			}
			start := time.Now()
			got, err := tr.probe.Try(t.Context(), k, tr.wait)
			took := time.Since(start)
			if err != nil {
				t.Fatalf("%s: %v", tr.probe.Command(), err)
			}
			for _, name := range tr.any {
				if got.Values[name] == "" {
					t.Errorf("no value %q in %v", name, got.Values)
				}
				delete(got.Values, name)
			}
			if len(got.Values) == 0 {
				got.Values = nil
			}
			if diff := cmp.Diff(tr.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tr.probe.Command(), diff)
			}
			if took > tr.wait+400*time.Millisecond {
				t.Errorf("took %v with a patience of %v", took, tr.wait)
			}
			t.Logf("%v after %v", got.Outcome, took.Round(time.Microsecond))
		})
	}
}

func holds(outcome string, values map[string]string) lab.Observation {
	return lab.Observation{Holds: true, Outcome: outcome, Values: values}
}

func fails(outcome string, values map[string]string) lab.Observation {
	return lab.Observation{Outcome: outcome, Values: values}
}

func macOf(t *testing.T, k *kernel.Kernel, ns, dev string) string {
	t.Helper()
	n, err := k.Namespace(ns)
	if err != nil {
		t.Fatal(err)
	}
	link, err := n.Link(dev)
	if err != nil {
		t.Fatal(err)
	}
	return link.Attrs().HardwareAddr.String()
}

// neighbours is what `ip neigh` shows of a device.
func neighbours(t *testing.T, ns, dev string) string {
	t.Helper()
	out, err := exec.Command("ip", "-n", ns, "neigh", "show", "nud", "all", "dev", dev).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// serve listens in a namespace and answers each connection until the test ends.
func serve(t *testing.T, k *kernel.Kernel, ns, addr string, answer func(net.Conn)) {
	t.Helper()
	n, err := k.Namespace(ns)
	if err != nil {
		t.Fatal(err)
	}
	var l net.Listener
	if err := n.Do(func() (err error) {
		l, err = net.Listen("tcp4", addr)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			answer(c)
			_ = c.Close()
		}
	}()
}

// cancelled checks that an attempt ends soon after its context does.
func cancelled(t *testing.T, k *kernel.Kernel, p lab.Probe) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	_, err := p.Try(ctx, k, time.Minute)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%T: error %v, want context.Canceled", p, err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("%T: ended %v after the context", p, took)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}
