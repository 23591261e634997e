package trace

import (
	"net"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
)

// asks is a device in a namespace that the frame "arp" is asked on.
func asks(t *testing.T) *device {
	t.Helper()
	mac, err := net.ParseMAC("3e:b5:9a:d4:08:ef")
	if err != nil {
		t.Fatal(err)
	}
	sp := &space{name: "a", devices: map[int]*device{}, missing: map[int]bool{}}
	d := &device{LinkAttrs: &netlink.LinkAttrs{Index: 2, Name: "va", EncapType: "ether", HardwareAddr: mac}, space: sp, point: true}
	sp.devices[d.Index] = d
	return d
}

func TestFramesOfBeforeTheProbeAreLeftOut(t *testing.T) {
	dev, start := asks(t), time.Now()
	a := &run{request: Request{Probe: lab.ProbeARP, To: addr("10.0.0.2")}, asking: dev, scene: &scene{}, id: newIdentity(Request{}), start: start}
	at := func(after time.Duration) raw {
		return raw{space: dev.space, index: 2, kind: unix.PACKET_OUTGOING, time: start.Round(0).Add(after), data: frame(t, "arp")}
	}
	if err := a.sort([]raw{at(time.Millisecond), at(-time.Millisecond)}); err != nil {
		t.Fatal(err)
	}
	if len(a.sightings) != 1 || !a.sightings[0].time.After(start.Round(0)) {
		t.Errorf("%d sightings", len(a.sightings))
	}
}

// What others send must not keep a trace waiting: on a busy link it never ends.
func TestOnlyTheProbesOwnFramesKeepTheWaitGoing(t *testing.T) {
	dev := asks(t)
	echo := newIdentity(Request{Probe: lab.ProbeEcho})
	copy(echo.marker[:], frame(t, "echo")[42:])
	for _, tt := range []struct {
		name, frame string
		run         run
		want        bool
	}{
		{"the probe", "echo", run{request: Request{Probe: lab.ProbeEcho}, id: echo}, true},
		{"another's echo request", "echo", run{request: Request{Probe: lab.ProbeEcho}, id: newIdentity(Request{})}, false},
		{"another's ARP", "arp", run{request: Request{Probe: lab.ProbeEcho}, id: echo}, false},
		{"the question", "arp", run{request: Request{Probe: lab.ProbeARP, To: addr("10.0.0.2")}, asking: dev, id: echo}, true},
		{"another question", "arp", run{request: Request{Probe: lab.ProbeARP, To: addr("10.0.0.3")}, asking: dev, id: echo}, false},
	} {
		f := raw{space: dev.space, index: 2, kind: unix.PACKET_OUTGOING, data: frame(t, tt.frame)}
		seen := map[string]bool{}
		if got := tt.run.news(seen, []raw{f}); got != tt.want {
			t.Errorf("%s: news is %v, not %v", tt.name, got, tt.want)
		}
		if tt.run.news(seen, []raw{f}) {
			t.Errorf("%s: seen again, it is news", tt.name)
		}
	}
}
