package trace

import (
	"bytes"
	"net/netip"

	"golang.org/x/sys/unix"

	"netlab/lab"
)

// sighting is one frame, seen once.
type sighting struct {
	raw
	packet
	device *device
	dir    string
	kind   string

	before *sighting // where the same packet was seen before; nil: nowhere
	main   bool      // the way went on from here, or ended here
	then   []lab.Decision
}

// foreign tells whether the frame was for another's MAC.
func (g *sighting) foreign() bool { return g.raw.kind == unix.PACKET_OTHERHOST }

// leg is one packet's way.
type leg struct {
	kind  string
	all   []*sighting // in order of time, copies too
	main  []*sighting // the way itself
	start []lab.Decision
}

// trail links the sightings of one packet. Those of a second packet, which a kernel
// sends when the first is not answered, are left out.
func (s *scene) trail(kind string, seen []*sighting) (*leg, error) {
	l := &leg{kind: kind}
	for _, g := range seen {
		before, err := s.previous(l.all, g)
		if err != nil {
			return nil, err
		}
		if before == nil && len(l.all) > 0 && again(l.all[0], g) {
			break
		}
		g.before = before
		l.all = append(l.all, g)
	}
	return l, nil
}

// again tells whether g is where a way began, once more.
func again(first, g *sighting) bool {
	return g.device == first.device && g.dir == first.dir && g.ttl == first.ttl
}

// previous is the latest of the sightings that g can have come from.
func (s *scene) previous(seen []*sighting, g *sighting) (*sighting, error) {
	comesFrom, err := s.comesFrom(g)
	if err != nil {
		return nil, err
	}
	for i := len(seen) - 1; i >= 0; i-- {
		if g.proto == isARP && !bytes.Equal(seen[i].arpMAC, g.arpMAC) {
			continue // another's: nobody who passes ARP on changes who says it
		}
		if comesFrom(seen[i]) {
			return seen[i], nil
		}
	}
	return nil, nil
}

func (s *scene) comesFrom(g *sighting) (func(*sighting) bool, error) {
	d := g.device
	if g.dir == lab.DirIn {
		peer, err := s.peer(d)
		if err != nil {
			return nil, err
		}
		return func(o *sighting) bool {
			switch {
			case d.kind == "bridge":
				return o.dir == lab.DirIn && o.device.space == d.space && o.device.MasterIndex == d.Index
			case d.RawFlags&unix.IFF_LOOPBACK != 0:
				return o.dir == lab.DirOut && o.device == d
			case peer != nil:
				return o.dir == lab.DirOut && o.device == peer
			case d.NetNsID < 0 && d.ParentIndex > 0: // on another device
				return o.dir == lab.DirIn && o.device.space == d.space && o.device.Index == d.ParentIndex
			}
			return false
		}, nil
	}
	bridge, err := d.master()
	if err != nil {
		return nil, err
	}
	return func(o *sighting) bool {
		if o.device.space != d.space {
			return false
		}
		if o.dir == lab.DirOut { // from a device on top of this one
			return bridge != nil && o.device == bridge || o.device.ParentIndex == d.Index && o.device.NetNsID < 0 && o.device.kind != "veth"
		}
		if bridge != nil {
			return o.device.MasterIndex == bridge.Index && o.device != d
		}
		return o.device.MasterIndex == 0 || o.device.kind == "bridge"
	}, nil
}

// choose marks the way that led on, among the copies: the one that ended in the
// namespace that answered, if one did, else where the packet was meant to be, else
// the one that got furthest.
func (l *leg) choose(answering *space) {
	var best *sighting
	rank := func(g *sighting) [3]int {
		r := [3]int{0, 0, depth(g)}
		if answering != nil && g.device.space == answering && g.dir == lab.DirIn {
			r[0] = 1
		}
		if !g.foreign() {
			r[1] = 1
		}
		return r
	}
	ledOn := map[*sighting]bool{}
	for _, g := range l.all {
		ledOn[g.before] = true
	}
	for _, g := range l.all {
		if ledOn[g] && rank(g)[0] == 0 {
			continue
		}
		if best == nil || !less(rank(g), rank(best)) {
			best = g
		}
	}
	for g := best; g != nil; g = g.before {
		g.main = true
		l.main = append([]*sighting{g}, l.main...)
	}
}

func less(a, b [3]int) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

func depth(g *sighting) int {
	n := 0
	for ; g != nil; g = g.before {
		n++
	}
	return n
}

// last is where the packet was seen last; nil: nowhere.
func (l *leg) last() *sighting {
	if l == nil || len(l.main) == 0 {
		return nil
	}
	return l.main[len(l.main)-1]
}

func (l *leg) first() *sighting {
	if l == nil || len(l.main) == 0 {
		return nil
	}
	return l.main[0]
}

// hop is the sighting as a lab.Journey has it, without decisions.
func (g *sighting) hop(a *run) lab.Hop {
	h := lab.Hop{
		NS: g.device.space.name, Dev: g.device.Name, Dir: g.dir,
		Src: g.src, Dst: g.dst, SrcPort: g.srcPort, DstPort: g.dstPort, TTL: g.ttl,
		After: g.time.Sub(a.start),
	}
	if len(g.srcMAC) > 0 && g.device.RawFlags&unix.IFF_LOOPBACK == 0 {
		h.SrcMAC, h.DstMAC = g.srcMAC.String(), g.dstMAC.String()
	}
	return h
}

// changed names what differs from the sighting before, by its JSON names.
func (g *sighting) changed() []string {
	o := g.before
	if o == nil {
		return nil
	}
	var names []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"src_mac", bytes.Equal(g.srcMAC, o.srcMAC)},
		{"dst_mac", bytes.Equal(g.dstMAC, o.dstMAC)},
		{"src", g.src == o.src},
		{"dst", g.dst == o.dst},
		{"src_port", g.srcPort == o.srcPort},
		{"dst_port", g.dstPort == o.dstPort},
		{"ttl", g.ttl == o.ttl},
	} {
		if !f.same {
			names = append(names, f.name)
		}
	}
	return names
}

// tuple is what NAT rewrites.
type tuple struct {
	src, dst         netip.Addr
	srcPort, dstPort uint16
}

func (g *sighting) tuple() tuple { return tuple{g.src, g.dst, g.srcPort, g.dstPort} }
