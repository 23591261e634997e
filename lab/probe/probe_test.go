package probe

import (
	"encoding/json"
	"net/netip"
	"os"
	"reflect"
	"sync"
	"testing"
	"time"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

var everyProbe = []struct {
	probe   lab.Probe
	command string
}{
	{Netns{Name: "ns1"}, "ip -n ns1 -br link"},
	{LinkUp{NS: "ns1", Link: "c-eth0", Addr: prefix("1.1.1.2/32")}, "ip -n ns1 -br addr show dev c-eth0"},
	{LinkUp{Link: "veth"}, "ip -br addr show dev veth"},
	{RouteGet{NS: "ns1", Dst: addr("192.0.2.1"), WantVia: addr("169.254.1.1"), WantDev: "c-eth0"}, "ip -n ns1 route get 192.0.2.1"},
	{RouteGet{Dst: addr("1.1.1.2")}, "ip route get 1.1.1.2"},
	{Forwards{Src: addr("1.1.1.2"), Dst: addr("192.0.2.1"), Iif: "veth"}, "ip route get 192.0.2.1 from 1.1.1.2 iif veth"},
	{Neighbour{NS: "ns1", Dev: "c-eth0", Target: addr("169.254.1.1"), WantDev: "veth"}, "ip netns exec ns1 arping -c1 -I c-eth0 169.254.1.1"},
	{Ping{NS: "ns1", Dst: addr("192.0.2.1")}, "ip netns exec ns1 ping -c1 192.0.2.1"},
	{WhoAmI{NS: "ns1", Server: netip.MustParseAddrPort("192.0.2.1:7"), Want: addr("192.0.2.2")}, "ip netns exec ns1 nc 192.0.2.1 7"},
	{Knows{NS: "ns1", Dev: "c-eth0", Addr: addr("169.254.1.9"), WantMAC: "ee:ee:ee:ee:ee:ee"}, "ip -n ns1 neigh show 169.254.1.9 dev c-eth0"},
	{Hears{Dev: "up0", From: "ns1", FromDev: "c-eth0", Target: addr("169.254.1.1")}, "tcpdump -c1 -ni up0 arp"},
	{Nowhere{Addr: addr("169.254.1.1"), Spaces: []string{"ns1", "out"}}, "ip addr show to 169.254.1.1"},
	{RouteShow{NS: "ns1", Dst: prefix("0.0.0.0/0"), Dev: "c-eth0", WantVia: addr("169.254.1.1"), WantTable: "main"}, "ip -n ns1 route show table all default dev c-eth0"},
	{RouteShow{Dst: prefix("1.1.1.2/32"), WantScope: "link"}, "ip route show 1.1.1.2"},
	{Unanswered{NS: "ns1", Dst: addr("169.254.1.1"), Uplink: "up0"}, "ip netns exec ns1 ping -c1 169.254.1.1"},
	{Sysctl{NS: "ns1", Key: "net/ipv4/conf/c-eth0/proxy_arp", Want: "0"}, "ip netns exec ns1 sysctl net.ipv4.conf.c-eth0.proxy_arp"},
	{Sysctl{Key: "net/ipv4/conf/lo/proxy_arp", Want: "0"}, "sysctl net.ipv4.conf.lo.proxy_arp"},
	{Bridge{NS: "sw", Name: "br0"}, "ip -n sw -d link show dev br0"},
	{Learned{NS: "sw", Bridge: "br0", OfNS: "swp", OfDev: "eth0", WantPort: "v1"}, "bridge -n sw fdb show br br0"},
	{Leaves{NS: "ns1", Dst: addr("192.0.2.1"), Uplink: "up0", WantSrc: addr("192.0.2.2")}, "tcpdump -c1 -ni up0 icmp"},
}

func TestCommandsAreWhatAPersonWouldType(t *testing.T) {
	for _, p := range everyProbe {
		if got := p.probe.Command().String(); got != p.command {
			t.Errorf("%T: %s, want %s", p.probe, got, p.command)
		}
	}
}

func TestProbesSurviveJSON(t *testing.T) {
	for _, p := range everyProbe {
		data, err := json.Marshal(p.probe)
		if err != nil {
			t.Fatalf("%T: %v", p.probe, err)
		}
		back := reflect.New(reflect.TypeOf(p.probe))
		if err := json.Unmarshal(data, back.Interface()); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if got := back.Elem().Interface(); !reflect.DeepEqual(got, p.probe) {
			t.Errorf("%s came back as %+v", data, got)
		}
	}
}

// Sockets closed in the background are given time.
func TestProbesLeaveNoThreadAndNoFileBehind(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, podded+masquerade+`
		ip -n ns1 neigh add 169.254.1.9 lladdr ee:ee:ee:ee:ee:ee dev c-eth0
		ip netns add sw
		ip netns add swp
		ip -n sw link add br0 type bridge
		ip -n sw link add v1 type veth peer name eth0 netns swp
		ip -n sw link set v1 master br0
		ip -n sw link set br0 up
		ip -n sw link set v1 up
		ip -n swp link set eth0 up
		ip -n swp addr add 10.0.0.1/24 dev eth0
		ip -n sw addr add 10.0.0.2/24 dev br0`)
	if o, err := (Ping{NS: "swp", Dst: addr("10.0.0.2")}).Try(t.Context(), k, enough); err != nil || !o.Holds {
		t.Fatalf("no frame to learn from: %v, %v", o, err)
	}
	serve(t, k, "out", "192.0.2.1:7", tellSource)
	tryAll := func() {
		var wg sync.WaitGroup
		for _, p := range everyProbe {
			wg.Go(func() {
				if o, err := p.probe.Try(t.Context(), k, enough); err != nil || !o.Holds {
					t.Errorf("%s: %v, %v", p.command, o, err)
				}
			})
		}
		wg.Wait()
	}
	tryAll() // opens what stays open: the kernel's handles
	files := openFiles(t)
	for range 10 {
		tryAll()
	}
	host, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	const samples = 200
	where := make(chan string, samples)
	var start, all sync.WaitGroup
	start.Add(samples)
	for range samples {
		all.Go(func() {
			start.Done()
			start.Wait() // so that they run at the same time, on many threads
			ns, err := os.Readlink("/proc/thread-self/ns/net")
			if err != nil {
				t.Error(err)
			}
			where <- ns
		})
	}
	all.Wait()
	close(where)
	for ns := range where {
		if ns != host {
			t.Fatalf("a goroutine runs in %s, not in the host's %s", ns, host)
		}
	}
	deadline := time.Now().Add(enough)
	for openFiles(t) > files && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if after := openFiles(t); after > files {
		t.Errorf("%d open files before, %d after", files, after)
	}
}
