package trace

import (
	"bytes"
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

// inside runs f on a thread in a namespace.
func inside(t *testing.T, k *kernel.Kernel, ns string, f func() error) {
	t.Helper()
	n, err := k.Namespace(ns)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Do(f); err != nil {
		t.Fatal(err)
	}
}

func serveTCP(t *testing.T, k *kernel.Kernel, ns, at string) {
	t.Helper()
	var l net.Listener
	inside(t, k, ns, func() (err error) {
		l, err = net.Listen("tcp4", at)
		return err
	})
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
}

// serveUDP answers each datagram with what answer makes of it.
func serveUDP(t *testing.T, k *kernel.Kernel, ns, at string, answer func([]byte) []byte) {
	t.Helper()
	var c net.PacketConn
	inside(t, k, ns, func() (err error) {
		c, err = net.ListenPacket("udp4", at)
		return err
	})
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(answer(buf[:n]), from)
		}
	}()
}

const dnat = `
	nft add table ip dn
	nft add chain ip dn pre { type nat hook prerouting priority -100 ; }
	nft add rule ip dn pre ip daddr 10.96.0.1 tcp dport 80 dnat to 10.244.1.2:8080
	nft add rule ip dn pre ip daddr 10.96.0.1 udp dport 53 dnat to 10.244.1.2:5353
`

func TestConnectionsAreFollowedThroughDestinationNAT(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, routed+dnat)
	serveTCP(t, k, "pod2", "10.244.1.2:8080")
	serveUDP(t, k, "pod2", "10.244.1.2:5353", func([]byte) []byte { return []byte("something else") })
	for _, r := range []Request{
		{From: "pod1", To: addr("10.96.0.1"), Probe: lab.ProbeTCP, Port: 80},
		{From: "pod1", To: addr("10.96.0.1"), Probe: lab.ProbeUDP, Port: 53},
	} {
		res := follow(t, k, r)
		if res.Journey.End.Outcome != lab.Answered {
			t.Errorf("%s: end %+v", r.Probe, res.Journey.End)
		}
		if diff := cmp.Diff([]string{"pod1:eth0 out", "host:cali1 in", "host:cali2 out", "pod2:eth0 in"}, places(res, lab.LegRequest)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"pod2:eth0 out", "host:cali2 in", "host:cali1 out", "pod1:eth0 in"}, places(res, lab.LegReply)); diff != "" {
			t.Error(diff)
		}
		port := map[string]string{lab.ProbeTCP: "8080", lab.ProbeUDP: "5353"}[r.Probe]
		want := []map[string]string{
			{"field": "dst", "before": "10.96.0.1", "after": "10.244.1.2"},
			{"field": "dst_port", "before": strconv.Itoa(int(r.Port)), "after": port},
		}
		if diff := cmp.Diff(want, decisions(res, lab.LegRequest, lab.DecideNAT)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"src", "src_port"}, natFields(res, lab.LegReply)); diff != "" {
			t.Error(diff)
		}
	}
}

func natFields(r Result, leg string) []string {
	var all []string
	for _, d := range decisions(r, leg, lab.DecideNAT) {
		all = append(all, d["field"])
	}
	return all
}

func TestOthersPacketsNeverShow(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, routed)
	serveTCP(t, k, "pod2", "10.244.1.2:80")
	serveUDP(t, k, "pod2", "10.244.1.2:53", func(b []byte) []byte { return b })
	// Others, between the same addresses and to the same ports.
	flood := exec.Command("ip", "netns", "exec", "pod1", "ping", "-q", "-i", "0.002", "10.244.1.2")
	if err := flood.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = flood.Process.Kill()
		_ = flood.Wait()
	}()
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		n, err := k.Namespace("pod1")
		if err != nil {
			return
		}
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = n.Do(func() error {
				if c, err := net.DialTimeout("tcp4", "10.244.1.2:80", time.Second); err == nil {
					_ = c.Close()
				}
				if c, err := net.Dial("udp4", "10.244.1.2:53"); err == nil {
					_, _ = c.Write([]byte("sixteen bytes aa"))
					_ = c.Close()
				}
				return nil
			})
		}
	}()
	defer func() { close(stop); <-done }()
	for range 5 {
		for _, r := range []Request{
			{From: "pod1", To: addr("10.244.1.2")},
			{From: "pod1", To: addr("10.244.1.2"), Probe: lab.ProbeTCP, Port: 80},
			{From: "pod1", To: addr("10.244.1.2"), Probe: lab.ProbeUDP, Port: 53},
		} {
			res, err := Run(t.Context(), k, r)
			if err != nil {
				t.Fatal(err)
			}
			count := map[string]int{}
			for _, f := range res.Frames {
				count[f.Kind]++
				if f.Kind == KindRequest || f.Kind == KindReply {
					if p, ok := parse(f.Data, true); !ok || r.Probe == "" && len(p.payload) != 16 {
						t.Errorf("not the probe's: %+v", f)
					}
				}
			}
			if count[KindRequest] != 4 || count[KindReply] != 4 || count[KindError] != 0 {
				t.Errorf("%s: frames %v\n%s", r.Probe, count, drawn(res))
			}
			if len(res.Journey.Legs) != 2 || len(res.Journey.Legs[0].Hops) != 4 || len(res.Journey.Legs[1].Hops) != 4 {
				t.Errorf("%s:\n%s", r.Probe, drawn(res))
			}
		}
	}
}

func TestASenderKnownByItsProcessOnly(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, pair)
	// A namespace without a name, with a process in it, on a bridge of its own.
	var out bytes.Buffer
	cmd := exec.Command("unshare", "-n", "sleep", "60")
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	pid := strconv.Itoa(cmd.Process.Pid)
	awaitNamespace(t, k, "pid:"+pid)
	sh(t, `
		ip link add h0 type veth peer name c0 netns `+pid+`
		ip link set h0 up
		ip addr add 172.20.0.1/24 dev h0
		nsenter -t `+pid+` -n ip link set c0 up
		nsenter -t `+pid+` -n ip addr add 172.20.0.2/24 dev c0
	`)
	r := follow(t, k, Request{From: "pid:" + pid, To: addr("172.20.0.1")})
	if diff := cmp.Diff([]string{"pid:" + pid + ":c0 out", "host:h0 in"}, places(r, lab.LegRequest)); diff != "" {
		t.Error(diff)
	}
	// And from the host, where the peer's namespace must be found.
	r = follow(t, k, Request{To: addr("172.20.0.2")})
	if diff := cmp.Diff([]string{"host:h0 out", "pid:" + pid + ":c0 in"}, places(r, lab.LegRequest)); diff != "" {
		t.Error(diff)
	}
	// One that has a name as well is shown by it.
	sh(t, "ip netns attach named "+pid)
	if r = follow(t, k, Request{From: "pid:" + pid, To: addr("172.20.0.1")}); r.Journey.From != "named" {
		t.Errorf("from %q", r.Journey.From)
	}
}

// awaitNamespace waits until a process has left for a namespace of its own.
func awaitNamespace(t *testing.T, k *kernel.Kernel, name string) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for time.Now().Before(deadline) {
		if n, err := k.Namespace(name); err == nil && k.Called(n) == name {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%s has no namespace of its own", name)
}
