package trace

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest"
)

// As in facts.md, section 5.
func TestTheKernelsOwnDropReasonIsTold(t *testing.T) {
	for _, c := range []struct{ name, setup, want string }{
		{"forwarding off", "sysctl -qw net.ipv4.conf.cali1.forwarding=0", "IP_INADDRERRORS"},
		{"rp_filter", "sysctl -qw net.ipv4.conf.cali1.rp_filter=1\nip route del 10.244.1.1", "IP_RPFILTER"},
		{"no route", "ip route del 10.244.1.2\nip route del default", "IP_INNOROUTES"},
		{"forward drop", "nft add table ip w\nnft add chain ip w fw { type filter hook forward priority 0 ; policy drop ; }", "NETFILTER_DROP"},
		{"the reply dropped", "nft add table ip w\nnft add chain ip w fw { type filter hook forward priority 0 ; }\nnft add rule ip w fw iifname cali2 drop", "NETFILTER_DROP"},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			if !kerneltest.IsolateAsRoot(t) {
				return
			}
			k := openKernel(t)
			sh(t, routed+known+c.setup)
			var r Result
			// Another test's packet on a device of the same name, at the same moment,
			// leaves it open whose drop it was.
			for try := 0; try < 10 && r.Journey.End.Drop == ""; try++ {
				r = follow(t, k, Request{From: "pod1", To: addr("10.244.1.2"), Patience: brief / 4})
				if unread := r.Journey.End.DropUnread; unread == DropNotAllowed || unread == DropUnsupported {
					t.Skipf("drop reasons can't be read here: %s", unread)
				}
			}
			if r.Journey.End.Drop != c.want {
				t.Errorf("drop %q (%s), want %q", r.Journey.End.Drop, r.Journey.End.DropUnread, c.want)
			}
		})
	}
}

const someFormat = `name: netif_receive_skb
ID: 2303
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;

	field:void * skbaddr;	offset:8;	size:8;	signed:0;
	field:unsigned int len;	offset:16;	size:4;	signed:0;
	field:__data_loc char[] name;	offset:20;	size:4;	signed:0;

print fmt: "%s", __print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, { 0x10, "IP_RPFILTER" })
`

func someRecord() []byte {
	body := binary.NativeEndian.AppendUint64(nil, 1000)
	data := make([]byte, 24)
	binary.NativeEndian.PutUint16(data, 2303)
	binary.NativeEndian.PutUint32(data[16:], 44)
	binary.NativeEndian.PutUint32(data[20:], 24|5<<16)
	data = append(data, "eth0\x00"...)
	body = binary.NativeEndian.AppendUint32(body, uint32(len(data)))
	body = append(body, data...)
	record := binary.NativeEndian.AppendUint32(nil, unix.PERF_RECORD_SAMPLE)
	record = binary.NativeEndian.AppendUint16(record, 0)
	record = binary.NativeEndian.AppendUint16(record, uint16(8+len(body)))
	return append(record, body...)
}

func TestTraceEventsAreRead(t *testing.T) {
	p, err := parseFormat(someFormat)
	if err != nil {
		t.Fatal(err)
	}
	if p.id != 2303 || p.reasons[16] != "IP_RPFILTER" || p.reasons[2] != "NOT_SPECIFIED" {
		t.Errorf("%+v", p)
	}
	all := samples(append(someRecord(), someRecord()...), time.Unix(5, 0))
	if len(all) != 2 || !all[1].time.Equal(time.Unix(5, 1000)) {
		t.Fatalf("%+v", all)
	}
	if name, ok := p.words(all[0].data, "name"); !ok || name != "eth0" {
		t.Errorf("name %q, %v", name, ok)
	}
	if n, ok := p.number(all[0].data, "len"); !ok || n != 44 {
		t.Errorf("len %d, %v", n, ok)
	}
	if _, ok := p.number(all[0].data, "reason"); ok {
		t.Error("a field that the event has not got")
	}
}

func FuzzTraceEvents(f *testing.F) {
	f.Add(someFormat, someRecord())
	f.Add("ID: 1\n", []byte{})
	f.Fuzz(func(t *testing.T, format string, records []byte) {
		p, err := parseFormat(format)
		if err != nil {
			return
		}
		for _, e := range samples(records, time.Time{}) {
			for name, at := range p.fields {
				if n, ok := p.number(e.data, name); ok && at.size == 1 && n > 255 {
					t.Errorf("%s is %d", name, n)
				}
				if words, ok := p.words(e.data, name); ok && len(words) > len(e.data) {
					t.Errorf("%s is %q", name, words)
				}
			}
		}
	})
}
