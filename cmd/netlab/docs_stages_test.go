package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// onStage makes a network that a document tells of and no command in it makes, in
// the document's pretend host, and returns what netlab prints there; or what the
// network needs and this machine has not got.
func onStage(t *testing.T, name, lang string) (printed, missing string) {
	t.Helper()
	if name != "tunnel" {
		t.Fatalf("there is no stage %q", name)
	}
	const device = "/dev/net/tun"
	if _, err := os.Stat(device); err != nil {
		return "", device
	}
	return traceIntoTunnel(t, lang), ""
}

// documentLanguage is the language of a document, by its name.
func documentLanguage(path string) string {
	if strings.HasSuffix(filepath.Base(path), "."+chinese+".md") {
		return chinese
	}
	return english
}

// traceIntoTunnel follows a packet from a pod to one on another node, by way of a
// tunnel. Not every kernel has IPIP, so tunl0 is a TUN device whose far side the
// test plays. To a packet socket they are alike: IP without any header before it.
func traceIntoTunnel(t *testing.T, lang string) string {
	t.Helper()
	go answerEchoes(openTUN(t, "tunl0"))
	return sh(t, `
		sysctl -qw net.ipv4.ip_forward=1
		ip addr add 10.244.58.64/32 dev tunl0
		ip link set tunl0 up
		ip route add 10.244.203.0/26 via 192.0.2.9 dev tunl0 onlink
		ip netns add pod
		ip link add cali5f2b7c90d31 address ee:ee:ee:ee:ee:ee type veth \
			peer name eth0 address 5a:1c:0e:77:9b:02 netns pod
		sysctl -qw net.ipv4.conf.cali5f2b7c90d31.proxy_arp=1 net.ipv4.neigh.cali5f2b7c90d31.proxy_delay=0
		ip link set cali5f2b7c90d31 up
		ip -n pod link set eth0 up
		ip -n pod route add 169.254.1.1 dev eth0 scope link
		ip -n pod route add default via 169.254.1.1 dev eth0
		ip -n pod addr add 10.244.58.66/32 dev eth0
		ip route add 10.244.58.66/32 dev cali5f2b7c90d31 scope link
		ip neigh add 10.244.58.66 lladdr 5a:1c:0e:77:9b:02 dev cali5f2b7c90d31 nud permanent
		netlab trace pod 10.244.203.5 --lang `+lang)
}

// openTUN makes a TUN device in the test's own namespace, and returns its far end.
func openTUN(t *testing.T, name string) io.ReadWriter {
	t.Helper()
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open /dev/net/tun: %v", err)
	}
	f := os.NewFile(uintptr(fd), "tun")
	t.Cleanup(func() { _ = f.Close() })
	request, err := unix.NewIfreq(name)
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		t.Fatalf("make %s: %v", name, err)
	}
	return f
}

// answerEchoes answers each echo request that comes out of a TUN device, as a pod
// on the other node would: its reply has passed one router, that node.
func answerEchoes(tun io.ReadWriter) {
	buf := make([]byte, 1<<16)
	for {
		n, err := tun.Read(buf)
		if err != nil {
			return
		}
		header, err := ipv4.ParseHeader(buf[:n])
		if err != nil || header.Protocol != unix.IPPROTO_ICMP {
			continue
		}
		m, err := icmp.ParseMessage(unix.IPPROTO_ICMP, buf[header.Len:n])
		if err != nil || m.Type != ipv4.ICMPTypeEcho {
			continue
		}
		m.Type = ipv4.ICMPTypeEchoReply
		body, err := m.Marshal(nil)
		if err != nil {
			return
		}
		reply := ipv4.Header{
			Version: ipv4.Version, Len: ipv4.HeaderLen, TotalLen: ipv4.HeaderLen + len(body),
			TTL: 63, Protocol: unix.IPPROTO_ICMP, Src: header.Dst, Dst: header.Src,
		}
		packet, err := reply.Marshal()
		if err != nil {
			return
		}
		sum := uint32(0) // RFC 1071
		for i := 0; i < len(packet); i += 2 {
			sum += uint32(packet[i])<<8 | uint32(packet[i+1])
		}
		sum = sum>>16 + sum&0xffff
		sum = ^(sum + sum>>16)
		packet[10], packet[11] = byte(sum>>8), byte(sum)
		if _, err := tun.Write(append(packet, body...)); err != nil {
			return
		}
	}
}
