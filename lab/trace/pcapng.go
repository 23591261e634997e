package trace

import (
	"fmt"
	"io"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"netlab/lab"
)

// Comment says something of a frame, for people, in the language of the caller.
// An empty one is left out.
type Comment func(Frame) string

// WritePcapng writes the frames as a capture file in the pcapng format: one
// interface for each point that saw a frame, named "NAMESPACE:DEVICE" ("host" for
// the host's own), and a comment and the direction with each frame. The bytes are
// as they were on the device, but for transport checksums that were left to a device
// to work out (Frame.Unsummed): these are worked out here, and the frame says so (Frame.Summed). A
// nil comment stands for Frame.Says.
func WritePcapng(w io.Writer, r Result, comment Comment) error {
	if comment == nil {
		comment = Frame.Says
	}
	number := map[int]int{}
	var interfaces []pcapgo.NgInterface
	for _, f := range r.Frames {
		if _, ok := number[f.Point]; !ok {
			number[f.Point] = len(interfaces)
			interfaces = append(interfaces, r.Points[f.Point].ngInterface())
		}
	}
	if len(interfaces) == 0 { // the format has no file without one
		interfaces = append(interfaces, Point{NS: r.Journey.From, Dev: "none", Ethernet: true}.ngInterface())
	}
	ng, err := pcapgo.NewNgWriterInterface(w, interfaces[0], pcapgo.NgWriterOptions{
		SectionInfo: pcapgo.NgSectionInfo{Application: "netlab"},
	})
	if err != nil {
		return fmt.Errorf("write the capture file: %w", err)
	}
	for _, i := range interfaces[1:] {
		if _, err := ng.AddInterface(i); err != nil {
			return fmt.Errorf("write the capture file: %w", err)
		}
	}
	for _, f := range r.Frames {
		f = f.filledIn(r.Points[f.Point].Ethernet)
		if err := f.write(ng, number[f.Point], comment(f)); err != nil {
			return fmt.Errorf("write the capture file: %w", err)
		}
	}
	if err := ng.Flush(); err != nil {
		return fmt.Errorf("write the capture file: %w", err)
	}
	return nil
}

// Name is the point as a capture file names it.
func (p Point) Name() string {
	if p.NS == "" {
		return "host:" + p.Dev
	}
	return p.NS + ":" + p.Dev
}

func (p Point) ngInterface() pcapgo.NgInterface {
	link := layers.LinkTypeEthernet
	if !p.Ethernet {
		link = layers.LinkTypeRaw
	}
	return pcapgo.NgInterface{Name: p.Name(), LinkType: link, TimestampResolution: 9} // nanoseconds
}

func (f Frame) write(ng *pcapgo.NgWriter, number int, comment string) error {
	var o pcapgo.NgPacketOptions
	if comment != "" {
		o.Comments = append(o.Comments, comment)
	}
	o.Flags = &pcapgo.NgEpbFlags{Direction: pcapgo.NgEpbFlagDirectionInbound}
	if f.Dir == lab.DirOut {
		o.Flags.Direction = pcapgo.NgEpbFlagDirectionOutbound
	}
	return ng.WritePacketWithOptions(gopacket.CaptureInfo{
		Timestamp: f.Time, CaptureLength: len(f.Data), Length: len(f.Data), InterfaceIndex: number,
	}, f.Data, o)
}

// Says is what the frame is, in plain English: its kind, where it was, and what
// changed.
func (f Frame) Says() string {
	kind := f.Kind
	switch {
	case f.Flags != "":
		kind += " (" + f.Flags + ")"
	case f.Kind == KindError:
		kind += fmt.Sprintf(" (ICMP type %d, code %d)", f.Type, f.Code)
	}
	says := fmt.Sprintf("%s %s %s: %s -> %s", kind, f.Dir, f.Hop.Dev, f.Hop.Src, f.Hop.Dst)
	if f.Hop.TTL != 0 {
		says += fmt.Sprintf(", ttl %d", f.Hop.TTL)
	}
	for i, name := range f.Hop.Changed {
		if i == 0 {
			says += ", changed"
		}
		says += " " + name
	}
	switch {
	case f.Summed:
		says += ", transport checksum filled in: on the device it was still to be worked out (offload)"
	case f.Unsummed:
		says += ", transport checksum left to the device (offload)"
	}
	return says
}
