package op

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

const (
	redirects = "net/ipv4/conf/all/accept_redirects"
	toCome    = "net/ipv4/conf/default/forwarding"
	ofVeth    = "net/ipv4/conf/veth/forwarding"
	ofDotted  = "net/ipv4/conf/h.1/forwarding"
)

// forwarding is ip_forward and all that changes along with it.
type forwarding map[string]string

func (b *bench) forwarding() forwarding {
	b.t.Helper()
	n, err := b.k.Namespace("")
	if err != nil {
		b.t.Fatal(err)
	}
	devices, err := n.SysctlNames("net/ipv4/conf")
	if err != nil {
		b.t.Fatal(err)
	}
	keys := []string{ipForward, redirects}
	for _, dev := range devices {
		keys = append(keys, forwardingOf(dev))
	}
	state := forwarding{}
	for _, key := range keys {
		if state[key], err = n.Sysctl(key); err != nil {
			b.t.Fatal(err)
		}
	}
	return state
}

// set gives ip_forward first what it is to be, then the others.
func (b *bench) set(state forwarding) {
	b.t.Helper()
	n, err := b.k.Namespace("")
	if err != nil {
		b.t.Fatal(err)
	}
	rest := slices.Sorted(maps.Keys(state))
	for _, key := range append([]string{ipForward}, rest...) {
		if value, ok := state[key]; ok {
			if err := n.SetSysctl(key, value); err != nil {
				b.t.Fatal(err)
			}
		}
	}
}

// Whatever was set before, ip_forward's restore brings it back, and so does its
// printed command, which names no more than it must.
func TestForwardingIsRestoredWhateverItWas(t *testing.T) {
	for _, key := range []string{ipForward, allForwarding} {
		t.Run(strings.ReplaceAll(key, "/", "."), func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, pair)
			bit := func(i, n int) string { return fmt.Sprint(i >> n & 1) }
			for i := range 32 {
				start := forwarding{ipForward: bit(i, 0), redirects: bit(i, 1), toCome: bit(i, 2), ofVeth: bit(i, 3), ofDotted: bit(i, 4)}
				b.set(start)
				before := b.forwarding()
				o := SysctlSet{Key: key, Value: opposite(start[ipForward])}
				undo, err := o.Inverse(b.k)
				if err != nil || len(undo) != 1 {
					t.Fatalf("from %v: inverse %v, %v", start, undo, err)
				}
				b.apply(o)
				after := b.forwarding()
				b.apply(undo...)
				if diff := cmp.Diff(before, b.forwarding()); diff != "" {
					t.Errorf("from %v (-before +after the undo):\n%s", start, diff)
				}

				b.set(after)
				b.types(undo...)
				if diff := cmp.Diff(before, b.forwarding()); diff != "" {
					t.Errorf("from %v (-before +after %s):\n%s", start, undo[0].Command(), diff)
				}

				b.set(after)
				b.set(forwarding{ipForward: start[ipForward]})
				var needed []string
				for k, by := range b.forwarding() {
					if by != before[k] {
						needed = append(needed, assignment(k, before[k]))
					}
				}
				slices.Sort(needed)
				words := undo[0].Command()
				if want := assignment(key, start[ipForward]); words[2] != want {
					t.Errorf("%s sets %s first, want %s", words, words[2], want)
				}
				if diff := cmp.Diff(needed, slices.Sorted(slices.Values(words[3:])), cmp.Transformer("", func(s []string) string { return strings.Join(s, " ") })); diff != "" {
					t.Errorf("from %v, what must be set beside (-needed +named):\n%s", start, diff)
				}
			}
		})
	}
}

// What somebody changed since is kept, devices come and go.
func TestForwardingKeepsWhatOthersChanged(t *testing.T) {
	for _, tt := range []struct {
		name   string
		start  forwarding // the rest is as ip_forward brings it along
		value  string
		byHand string
		want   forwarding // the rest is as at the start
	}{
		{"nothing", forwarding{ipForward: "0"}, "1", "", nil},
		{"a device turned off", forwarding{ipForward: "0", ofVeth: "1"}, "1", "sysctl -qw net.ipv4.conf.veth.forwarding=0", forwarding{ofVeth: "0"}},
		{"a device turned on", forwarding{ipForward: "1", ofDotted: "0"}, "0", "sysctl -qw net/ipv4/conf/h.1/forwarding=1", forwarding{ofDotted: "1"}},
		{"devices to come turned on", forwarding{ipForward: "1", toCome: "0"}, "0", "sysctl -qw net.ipv4.conf.default.forwarding=1", forwarding{toCome: "1"}},
		{"redirects accepted", forwarding{ipForward: "0", redirects: "0"}, "1", "sysctl -qw net.ipv4.conf.all.accept_redirects=1", forwarding{redirects: "1"}},
		{"put back already", forwarding{ipForward: "0"}, "1", "sysctl -qw net.ipv4.ip_forward=0", nil},
		{"put back already, with what came along", forwarding{ipForward: "0", ofVeth: "1", redirects: "0"}, "1", "sysctl -qw net.ipv4.ip_forward=0", forwarding{ofVeth: "0", redirects: "1"}},
		{"a device came", forwarding{ipForward: "0"}, "1", "ip link add new type bridge", forwarding{forwardingOf("new"): "0"}},
		{"a device came where they forward", forwarding{ipForward: "0", toCome: "1"}, "1", "ip link add new type bridge", forwarding{forwardingOf("new"): "1"}},
		{"a device came that others turned off", forwarding{ipForward: "0", toCome: "1"}, "1", "ip link add new type bridge; sysctl -qw net.ipv4.conf.new.forwarding=0", forwarding{forwardingOf("new"): "0"}},
		{"a device came that others turned on", forwarding{ipForward: "1", toCome: "0"}, "0", "ip link add new type bridge; sysctl -qw net.ipv4.conf.new.forwarding=1", forwarding{forwardingOf("new"): "1"}},
		{"devices went", forwarding{ipForward: "0", ofVeth: "1"}, "1", "ip link del veth", forwarding{ofVeth: "", ofDotted: ""}},
		{"a device made anew", forwarding{ipForward: "0", ofVeth: "1"}, "1", "ip link del veth; " + pair, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newBench(t, pair)
			b.set(tt.start)
			want := b.forwarding()
			for key, value := range tt.want {
				if want[key] = value; value == "" {
					delete(want, key)
				}
			}
			o := SysctlSet{Key: ipForward, Value: tt.value}
			undo := b.inverse(o)
			b.apply(o)
			b.shell(tt.byHand)
			b.apply(undo...)
			if diff := cmp.Diff(want, b.forwarding()); diff != "" {
				t.Errorf("after the undo (-want +got):\n%s", diff)
			}
			b.apply(undo...)
			if diff := cmp.Diff(want, b.forwarding()); diff != "" {
				t.Errorf("after the undo, twice (-want +got):\n%s", diff)
			}
		})
	}
}

func TestForwardingThatOthersChangedIsLeftAlone(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newBench(t, pair)
	b.set(forwarding{ipForward: "0", ofVeth: "1"})
	o := SysctlSet{Key: ipForward, Value: "1"}
	undo := b.inverse(o)
	b.apply(o)
	b.shell("sysctl -qw net.ipv4.ip_forward=2")
	b.refuses(lab.ErrChanged, undo...)
	if err := o.Verify(b.k); err == nil || !errors.As(err, new(*lab.Mismatch)) {
		t.Errorf("read-back: %v", err)
	}
}
