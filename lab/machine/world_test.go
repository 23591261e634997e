package machine

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

// pretendHost builds the world in the test's own namespace.
func pretendHost(t *testing.T) *kernel.Kernel {
	t.Helper()
	k := kernel.Open()
	t.Cleanup(func() { _ = k.Close() })
	if err := BuildWorld(k); err != nil {
		t.Fatal(err)
	}
	return k
}

func namespace(t *testing.T, k *kernel.Kernel, name string) *kernel.Namespace {
	t.Helper()
	n, err := k.Namespace(name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWorldIsAHostWithAnInternet(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	// What the machine's first namespace might have handed down.
	for _, key := range []string{"all/rp_filter", "default/rp_filter", "lo/rp_filter", "all/proxy_arp", "default/proxy_arp"} {
		if err := os.WriteFile("/proc/sys/net/ipv4/conf/"+key, []byte("1"), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	k := pretendHost(t)
	links := map[string][]string{}
	for _, name := range []string{kernel.Host, Internet} {
		n := namespace(t, k, name)
		all, err := n.Netlink.LinkList()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range all {
			if l.Attrs().Flags&net.FlagUp == 0 {
				continue
			}
			links[name] = append(links[name], l.Attrs().Name)
			for _, key := range []string{"rp_filter", "proxy_arp", "forwarding"} {
				if v, err := n.Sysctl("net/ipv4/conf/" + l.Attrs().Name + "/" + key); err != nil || v != "0" {
					t.Errorf("%s of %s in %s is %s, %v", key, l.Attrs().Name, n, v, err)
				}
			}
			if v, err := n.Sysctl("net/ipv6/conf/" + l.Attrs().Name + "/disable_ipv6"); haveIPv6() && (err != nil || v != "1") {
				t.Errorf("disable_ipv6 of %s in %s is %s, %v", l.Attrs().Name, n, v, err)
			}
		}
		if v, err := n.Sysctl("net/ipv4/ip_forward"); err != nil || v != "0" {
			t.Errorf("ip_forward in %s is %s, %v", n, v, err)
		}
	}
	want := map[string][]string{kernel.Host: {"lo", Uplink}, Internet: {"lo", InternetLink}}
	if diff := cmp.Diff(want, links); diff != "" {
		t.Error(diff)
	}
	if _, err := namespace(t, k, Internet).Netlink.RouteGet(net.IPv4(1, 1, 1, 2)); !errors.Is(err, unix.ENETUNREACH) {
		t.Errorf("the internet's way to a lab: %v, want none", err)
	}
	for _, to := range []string{UplinkAddr, Server} {
		if out, err := exec.Command("ping", "-c1", "-W2", to).CombinedOutput(); err != nil {
			t.Errorf("ping %s: %v\n%s", to, err, out)
		}
	}
}

func TestWhoAmIAnswersWithTheSourceItSaw(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := pretendHost(t)
	server, err := ServeWhoAmI(k)
	if err != nil {
		t.Fatal(err)
	}
	// A second address as source, to show that the answer is not a constant.
	host := namespace(t, k, kernel.Host)
	link, err := host.Link(Uplink)
	if err != nil {
		t.Fatal(err)
	}
	second, err := netlink.ParseAddr("192.0.2.77/24")
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Netlink.AddrAdd(link, second); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, from, send string }{
		{"the host's own", HostAddr, ""},
		{"another", "192.0.2.77", ""},
		{"a caller that talks first", HostAddr, "GET / HTTP/1.0\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := net.Dialer{Timeout: 2 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(tt.from)}}
			conn, err := d.Dial("tcp4", WhoAmIAddr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, tt.send); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(conn)
			if err != nil || string(got) != tt.from+"\n" {
				t.Errorf("it said %q, %v; want %q", got, err, tt.from)
			}
		})
	}
	t.Run("silent callers keep nobody out for long", func(t *testing.T) {
		for range whoAmICallers { // they never hang up
			conn, err := net.Dial("tcp4", WhoAmIAddr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				conn, err := net.DialTimeout("tcp4", WhoAmIAddr, 2*time.Second)
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(2 * whoAmIPatience))
				if line, err := bufio.NewReader(conn).ReadString('\n'); strings.TrimSpace(line) != HostAddr {
					t.Errorf("it said %q, %v", line, err)
				}
			})
		}
		wg.Wait()
	})
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if conn, err := net.DialTimeout("tcp4", WhoAmIAddr, time.Second); err == nil {
		conn.Close()
		t.Error("it still answers after Close")
	}
}
