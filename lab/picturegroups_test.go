package lab_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/op"
)

// manyPods has a step that makes pods, and one that routes to and from them.
func manyPods(n int) []lab.Step {
	prefix := netip.MustParsePrefix
	made := lab.Step{ID: "pods", Ops: []lab.Op{op.BridgeAdd{Name: "br0"}}}
	routed := lab.Step{ID: "routes"}
	for i := 1; i <= n; i++ {
		ns, dev := fmt.Sprintf("pod%d", i), fmt.Sprintf("cali%d", i)
		made.Groups = append(made.Groups, lab.Group{Name: ns, Ops: []lab.Op{
			op.NetnsAdd{Name: ns},
			op.VethAdd{Name: dev, Peer: "eth0", PeerNS: ns, MAC: "EE:EE:EE:EE:EE:EE"},
		}})
		routed.Groups = append(routed.Groups, lab.Group{Name: ns, Ops: []lab.Op{
			op.RouteAdd{NS: ns, Dst: prefix("0.0.0.0/0"), Via: netip.MustParseAddr("169.254.1.1"), Dev: "eth0", Onlink: true},
			op.RouteAdd{Dst: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i / 256), byte(i)}), 32), Dev: dev},
		}})
	}
	return []lab.Step{made, routed}
}

func TestPictureCountsTheGroupsItLeavesOut(t *testing.T) {
	type counts struct {
		Spaces, Devices, Routes, More int
		Host                          lab.More
	}
	for _, tt := range []struct {
		pods  int
		until string
		want  counts
	}{
		{pods: 3, want: counts{Spaces: 4, Devices: 5, Routes: 3}},
		{pods: 4, want: counts{Spaces: 4, Devices: 5, Routes: 3, More: 1, Host: lab.More{Devices: 1, Routes: 1}}},
		{pods: 1000, want: counts{Spaces: 4, Devices: 5, Routes: 3, More: 997, Host: lab.More{Devices: 997, Routes: 997}}},
		{pods: 1000, until: "pods", want: counts{Spaces: 4, Devices: 5, More: 997, Host: lab.More{Devices: 997}}},
	} {
		t.Run(fmt.Sprint(tt.pods, tt.until), func(t *testing.T) {
			p := lab.PictureAt(pictureFacts(), manyPods(tt.pods), tt.until)
			host := p.Space("")
			got := counts{len(p.Spaces), len(host.Devices), len(host.Routes), p.More, host.More}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			for _, s := range p.Spaces[1:] {
				if (s.More != lab.More{}) {
					t.Errorf("%s is said to have more: %+v", s.Name, s.More)
				}
			}
		})
	}
}

func TestPictureMarksTheCountsThatAStepBrings(t *testing.T) {
	steps := manyPods(1000)
	first, second := lab.PictureAfter(pictureFacts(), steps, 0), lab.PictureAfter(pictureFacts(), steps, 1)
	if got := first.Space("").More.New; !first.MoreNew || got != (lab.News{Devices: true}) {
		t.Errorf("with the pods, more is new %v, on the host %+v", first.MoreNew, got)
	}
	if got := second.Space("").More.New; second.MoreNew || got != (lab.News{Routes: true}) {
		t.Errorf("with the routes, more is new %v, on the host %+v", second.MoreNew, got)
	}
	if d := first.Device("", "cali1"); d.MAC != "ee:ee:ee:ee:ee:ee" || !d.MACNew || !d.New {
		t.Errorf("a new device with its MAC set: %+v", d)
	}
	if d := second.Device("", "cali1"); d.MACNew || d.New {
		t.Errorf("nothing is new of %+v", d)
	}
}

func TestPictureOfAMACThatIsSetLater(t *testing.T) {
	steps := []lab.Step{
		{ID: "cable", Ops: []lab.Op{op.VethAdd{Name: "x", Peer: "y"}}},
		{ID: "mac", Ops: []lab.Op{op.LinkSetAddress{Name: "x", MAC: "ee:ee:ee:ee:ee:ee"}}},
	}
	d := lab.PictureAfter(lab.Facts{}, steps, 1).Spaces[0].Devices[0]
	if d.New || !d.MACNew {
		t.Errorf("new is %v, its MAC %v; want only the MAC", d.New, d.MACNew)
	}
	live := lab.PictureAt(lab.Facts{}, steps, "")
	live.Live = true
	if now := live.Since(lab.PictureAt(lab.Facts{}, steps[:1], "")); now.News() {
		t.Errorf("where one is live, a MAC is told as new: %v", marked(now))
	}
}
