package trace

import (
	"bytes"
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"netlab/lab"
)

// How a bridge came to know behind which port a MAC is: from a frame's source, by
// hand, or because the MAC is its own.
const (
	fdbLearned = "learned"
	fdbStatic  = "static"
	fdbLocal   = "local"
)

// fdbEntry is what a bridge's forwarding database says of one MAC.
type fdbEntry struct {
	mac  net.HardwareAddr
	port int // the device's index
	how  string
}

// readFDB reads the forwarding databases of the scene's bridges as they are now.
func (s *scene) readFDB() (map[*device][]fdbEntry, error) {
	all := map[*device][]fdbEntry{}
	for _, d := range s.points {
		if d.kind != "bridge" {
			continue
		}
		entries, err := d.fdb()
		if err != nil {
			return nil, err
		}
		all[d] = entries
	}
	return all, nil
}

func (d *device) fdb() ([]fdbEntry, error) {
	list, err := d.space.neighbours(0, unix.AF_BRIDGE)
	if err != nil {
		return nil, fmt.Errorf("read what %s in %s forwards by: %w", d.Name, d.space.n, err)
	}
	var entries []fdbEntry
	for _, n := range list {
		if n.MasterIndex != d.Index {
			continue
		}
		e := fdbEntry{mac: n.HardwareAddr, port: n.LinkIndex, how: fdbLearned}
		switch { // fdb_to_nud, net/bridge/br_fdb.c
		case n.State&unix.NUD_PERMANENT != 0:
			e.how = fdbLocal
		case n.State&unix.NUD_NOARP != 0:
			e.how = fdbStatic
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// behind is what the bridge knew of the MAC that a frame is for when the frame came
// to it at g: what it knew before the probe was sent, and what it has learned from
// the probe's own frames and ARP since (br_handle_frame_finish, net/bridge/br_input.c).
func (a *run) behind(bridge *device, g *sighting) (fdbEntry, bool) {
	var known fdbEntry
	found := false
	for _, e := range a.fdb[bridge] {
		if bytes.Equal(e.mac, g.dstMAC) {
			known, found = e, true
		}
	}
	if found && known.how != fdbLearned { // nothing that comes in moves it
		return known, true
	}
	for _, o := range a.sightings { // in order of time
		if o == g {
			break
		}
		if o.dir == lab.DirIn && o.device.space == bridge.space && o.device.MasterIndex == bridge.Index && bytes.Equal(o.srcMAC, g.dstMAC) {
			known, found = fdbEntry{mac: g.dstMAC, port: o.device.Index, how: fdbLearned}, true
		}
	}
	return known, found
}

// bridging is what the bridge did with the packet that came to it at g.
func (a *run) bridging(bridge *device, g, next *sighting) lab.Decision {
	v := map[string]string{"dev": bridge.Name}
	e, known := a.behind(bridge, g)
	switch {
	case g.group():
		v["flooded"] = "yes"
	case known && e.how == fdbLocal:
		v["mac"], v["port"], v["how"] = g.dstMAC.String(), bridge.Name, e.how
	case known && e.port == next.device.Index:
		v["mac"], v["port"], v["how"] = g.dstMAC.String(), next.device.Name, e.how
	default: // not known, or no longer when it came
		v["mac"], v["flooded"] = g.dstMAC.String(), "yes"
	}
	return lab.Decision{Kind: lab.DecideBridge, Values: v}
}
