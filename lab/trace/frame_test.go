package trace

import (
	"encoding/hex"
	"testing"

	"golang.org/x/sys/unix"

	"netlab/lab"
)

// frames of each kind, as they were on a device.
var someFrames = map[string]string{
	"arp":     "ffffffffffff3eb59ad408ef08060001080006040001" + "3eb59ad408ef0a000001" + "0000000000000a000002",
	"echo":    "ae2de1ee12413eb59ad408ef0800" + "4500002c00004000400126cf0a0000010a000002" + "0800f7ff00010001" + "00112233445566778899aabbccddeeff",
	"refused": "3eb59ad408efae2de1ee12410800" + "45c0004800004000400126000a0000020a000001" + "0303fcfc00000000" + "4500002c00004000401126bf0a0000010a000002" + "9c4000520018000000112233445566778899aabbccddeeff",
	"tcp":     "ae2de1ee12413eb59ad408ef0800" + "4500002800004000400626ce0a0000010a000002" + "9c400050000000010000000050020000" + "00000000",
	"tagged":  "ae2de1ee12413eb59ad408ef8100000a0800" + "4500002c00004000400126cf0a0000010a000002" + "0800f7ff00010001" + "00112233445566778899aabbccddeeff",
}

func frame(t testing.TB, name string) []byte {
	t.Helper()
	b, err := hex.DecodeString(someFrames[name])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFramesAreRead(t *testing.T) {
	for name, want := range map[string]func(packet) bool{
		"arp":     func(p packet) bool { return p.proto == isARP && p.arpOp == 1 && p.dst == addr("10.0.0.2") && p.group() },
		"echo":    func(p packet) bool { return p.proto == unix.IPPROTO_ICMP && p.ttl == 64 && len(p.payload) == 16 },
		"refused": func(p packet) bool { return p.isError() && p.quoted != nil && p.quoted.dstPort == 0x52 },
		"tcp":     func(p packet) bool { return p.syn && !p.acked && p.seq == 1 && p.dstPort == 80 },
		"tagged":  func(p packet) bool { return p.proto == unix.IPPROTO_ICMP && p.src == addr("10.0.0.1") },
	} {
		p, ok := parse(frame(t, name), true)
		if !ok || !want(p) {
			t.Errorf("%s: %+v, %v", name, p, ok)
		}
		if name != "arp" && name != "tagged" {
			if q, ok := parse(frame(t, name)[14:], false); !ok || q.src != p.src || q.dst != p.dst {
				t.Errorf("%s without its Ethernet header: %+v, %v", name, q, ok)
			}
		}
		for cut := range len(frame(t, name)) { // nothing cut short may be taken for whole
			if p, ok := parse(frame(t, name)[:cut], true); ok && cut < 34 {
				t.Errorf("%s: %d bytes read as %+v", name, cut, p)
			}
		}
	}
}

func FuzzFrame(f *testing.F) {
	for name := range someFrames {
		f.Add(frame(f, name), true)
		f.Add(frame(f, name)[14:], false)
	}
	ids := []*identity{
		newIdentity(Request{Probe: lab.ProbeEcho}),
		newIdentity(Request{Probe: lab.ProbeTCP, Port: 80}),
		newIdentity(Request{Probe: lab.ProbeUDP, Port: 53}),
	}
	f.Fuzz(func(t *testing.T, data []byte, ethernet bool) {
		p, ok := parse(data, ethernet)
		if !ok {
			return
		}
		if p.proto != isARP && (!p.src.Is4() || !p.dst.Is4()) {
			t.Errorf("%x: addresses %v, %v", data, p.src, p.dst)
		}
		p.group()
		for _, id := range ids {
			// 16 random bytes, or 31 random bits: what isn't netlab's own is never taken for it.
			if kind := id.kindOf(p); kind != "" && id.probe != lab.ProbeTCP {
				t.Errorf("%x is taken for a %s of %s", data, kind, id.probe)
			}
		}
	})
}
