package probe

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"netlab/lab/kernel/kerneltest"
)

// tellSource answers with the source address it sees.
func tellSource(c net.Conn) {
	_, _ = fmt.Fprintln(c, c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr())
}

func TestWhoAmIReportsTheSourceSeen(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	at := func(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
	p := WhoAmI{NS: "ns1", Server: at("192.0.2.1:7000"), Want: addr("192.0.2.2")}
	tryEach(t, k, []trial{{name: "no namespace", probe: p, want: fails("missing", nil)}})
	sh(t, podded)
	sh(t, "ip -n out route add 1.1.1.2 via 192.0.2.2")
	serve(t, k, "out", ":7000", tellSource)
	serve(t, k, "out", ":7001", func(net.Conn) { time.Sleep(3 * brief) })
	tryEach(t, k, []trial{
		{name: "not translated", probe: p, want: fails("seen-as-another", values{"saw": "1.1.1.2", "want": "192.0.2.2"})},
		{name: "masqueraded", setup: masquerade, probe: p, want: holds("seen-as", values{"saw": "192.0.2.2"})},
		{name: "refused", probe: WhoAmI{NS: "ns1", Server: at("192.0.2.1:9"), Want: p.Want},
			want: fails("unreachable", values{"error": "Connection refused"})},
		{name: "no line", probe: WhoAmI{NS: "ns1", Server: at("192.0.2.1:7001"), Want: p.Want}, wait: brief, want: fails("silent", nil)},
		{name: "no connection", setup: "ip -n out route add blackhole 192.0.2.2", probe: p, wait: brief, want: fails("silent", nil)},
		{name: "no route", setup: "ip -n ns1 route del default", probe: p,
			want: fails("unreachable", values{"error": "Network is unreachable"})},
	})
}

func TestWhoAmITakesOnlyAnAddressForAnAnswer(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := openKernel(t)
	sh(t, pair)
	for i, answer := range []string{"", "\n", "hello\n", "10.0.0.1:80\n", "HTTP/1.1 400 Bad Request\r\n"} {
		server := fmt.Sprintf("10.0.0.2:%d", 7000+i)
		serve(t, k, "b", server, func(c net.Conn) { _, _ = c.Write([]byte(answer)) })
		p := WhoAmI{NS: "a", Server: netip.MustParseAddrPort(server), Want: addr("10.0.0.1")}
		if o, err := p.Try(t.Context(), k, enough); err == nil {
			t.Errorf("%q: no error but %v", answer, o)
		}
	}
	serve(t, k, "b", "10.0.0.2:7100", func(c net.Conn) { _, _ = c.Write([]byte("::ffff:10.0.0.1")) })
	tryEach(t, k, []trial{{name: "mapped, without an end of line",
		probe: WhoAmI{NS: "a", Server: netip.MustParseAddrPort("10.0.0.2:7100"), Want: addr("10.0.0.1")},
		want:  holds("seen-as", values{"saw": "10.0.0.1"})}})
	serve(t, k, "b", "10.0.0.2:7200", func(net.Conn) { time.Sleep(time.Second) })
	cancelled(t, k, WhoAmI{NS: "a", Server: netip.MustParseAddrPort("10.0.0.2:7200")})
}
