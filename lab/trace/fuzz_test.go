package trace

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/pcapgo"

	"netlab/lab"
)

// Whatever was captured, and whatever the device is called: the file says it.
func FuzzPcapng(f *testing.F) {
	f.Add("pod1", "eth0", "a frame", []byte("data"), int64(1700000000123456789), true, true)
	f.Add("", "\x1b]0;x\a", "", []byte{}, int64(0), false, false)
	f.Fuzz(func(t *testing.T, ns, dev, comment string, data []byte, nanos int64, ethernet, out bool) {
		if nanos < 0 || len(data) > 1<<16 || len(ns)+len(dev) > 1000 || len(comment) > 1000 {
			return
		}
		frame := Frame{Point: 1, Time: time.Unix(0, nanos), Data: data, Dir: lab.DirIn}
		if out {
			frame.Dir = lab.DirOut
		}
		r := Result{
			Points: []Point{{NS: "other", Dev: "lo"}, {NS: ns, Dev: dev, Ethernet: ethernet}, {NS: "x", Dev: "y", Ethernet: true}},
			Frames: []Frame{frame, {Point: 2, Time: frame.Time, Data: []byte("second"), Dir: lab.DirIn}, frame},
		}
		var file bytes.Buffer
		if err := WritePcapng(&file, r, func(Frame) string { return comment }); err != nil {
			t.Fatalf("write: %v", err)
		}
		ng, err := pcapgo.NewNgReader(&file, pcapgo.NgReaderOptions{WantMixedLinkType: true})
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		for i, want := range r.Frames {
			got, ci, options, err := ng.ReadPacketDataWithOptions()
			if err != nil {
				t.Fatalf("frame %d: %v", i, err)
			}
			if !bytes.Equal(got, want.Data) || !ci.Timestamp.Equal(want.Time) {
				t.Errorf("frame %d: %x at %v, want %x at %v", i, got, ci.Timestamp, want.Data, want.Time)
			}
			point, err := ng.Interface(ci.InterfaceIndex)
			if err != nil || point.Name != r.Points[want.Point].Name() || point.LinkType != r.Points[want.Point].ngInterface().LinkType {
				t.Errorf("frame %d: on %q (%v), want %q", i, point.Name, err, r.Points[want.Point].Name())
			}
			if said := strings.Join(options.Comments, "\n"); said != comment {
				t.Errorf("frame %d says %q, want %q", i, said, comment)
			}
		}
		if _, _, err := ng.ReadPacketData(); !errors.Is(err, io.EOF) {
			t.Errorf("after the last frame: %v", err)
		}
	})
}
