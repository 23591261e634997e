package trace

import (
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"netlab/lab"
)

// decide fills in what each namespace decided between two sightings of a packet,
// and where it was made.
func (a *run) decide(l *leg) error {
	var err error
	for i, g := range l.main {
		if i+1 < len(l.main) {
			g.then, err = a.between(g, l.main[i+1])
		} else {
			g.then, err = a.arrived(g)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// between is what sent the packet on from g to next.
func (a *run) between(g, next *sighting) ([]lab.Decision, error) {
	if next.dir == lab.DirIn && g.dir == lab.DirOut {
		if g.device == next.device { // lo
			return nil, nil
		}
		return []lab.Decision{{Kind: lab.DecideCable, Values: map[string]string{
			"dev": g.device.Name, "peer": next.device.Name, "peer_ns": next.device.space.name}}}, nil
	}
	if bridge, err := a.bridged(g, next); err != nil || bridge != nil {
		return a.throughBridge(bridge, g, next), err
	}
	if g.dir == lab.DirIn && next.dir == lab.DirOut {
		return a.routed(g, next)
	}
	return nil, nil
}

// bridged is the bridge that sent the packet on from g to next, nil for none.
func (a *run) bridged(g, next *sighting) (*device, error) {
	for _, d := range []*device{g.device, next.device} {
		if d.kind == "bridge" && (g.device.MasterIndex == d.Index || next.device.MasterIndex == d.Index) {
			return d, nil
		}
	}
	if g.device.MasterIndex == 0 || g.device.MasterIndex != next.device.MasterIndex {
		return nil, nil
	}
	return g.device.master()
}

func (a *run) throughBridge(bridge *device, g, next *sighting) []lab.Decision {
	if bridge == nil {
		return nil
	}
	return []lab.Decision{a.bridging(bridge, g, next)}
}

// routed is what a namespace did with a packet that came in at g and went out at
// next: what was rewritten before the route was looked up (prerouting), the
// route, what was rewritten after it (postrouting), the neighbour.
func (a *run) routed(g, next *sighting) ([]lab.Decision, error) {
	was, is := g.tuple(), next.tuple()
	all := natDecisions(tuple{dst: was.dst, dstPort: was.dstPort}, tuple{dst: is.dst, dstPort: is.dstPort})
	r, err := lookup{space: g.device.space, dst: is.dst, src: was.src, iif: a.enters(g)}.ask()
	if err != nil {
		return nil, err
	}
	if r.refused != 0 || r.dev != next.device {
		// The source that was looked up for, or the table, is not to be seen from
		// here: NAT in between, or a rule on what the packet bears.
		if other, err := (lookup{space: g.device.space, dst: is.dst}).ask(); err == nil && other.dev == next.device {
			r = other
		}
	}
	if r.refused == 0 && r.words != "" {
		all = append(all, r.decision(false))
	}
	all = append(all, natDecisions(tuple{src: was.src, srcPort: was.srcPort}, tuple{src: is.src, srcPort: is.srcPort})...)
	return a.withNeighbour(all, next, r)
}

// enters is the device by which IP got the packet: the bridge, for its port.
func (a *run) enters(g *sighting) *device {
	if m, err := g.device.master(); err == nil && m != nil {
		return m
	}
	return g.device
}

func (a *run) withNeighbour(all []lab.Decision, next *sighting, r found) ([]lab.Decision, error) {
	if !next.device.resolves() {
		return all, nil
	}
	n, err := a.resolved(next.device, r.next(next.dst), next.dstMAC.String())
	if err != nil {
		return nil, err
	}
	return append(all, n), nil
}

// made is what the packet's maker decided before it was first seen, at g. want is
// how it was made, before NAT; its zero fields are not known.
func (a *run) made(g *sighting, want tuple) ([]lab.Decision, error) {
	r, err := lookup{space: g.device.space, dst: g.dst}.ask()
	if err != nil {
		return nil, err
	}
	if want.dst.IsValid() && want.dst != g.dst {
		if first, err := (lookup{space: g.device.space, dst: want.dst}).ask(); err == nil && first.refused == 0 {
			r = first
		}
	}
	var all []lab.Decision
	if r.refused == 0 && r.words != "" {
		all = append(all, r.decision(g.kind == KindRequest))
	}
	all = append(all, natDecisions(want, g.tuple())...)
	return a.withNeighbour(all, g, r)
}

// arrived is what became of a packet at the last place where it was seen, if it
// was for the namespace itself.
func (a *run) arrived(g *sighting) ([]lab.Decision, error) {
	if g.dir != lab.DirIn || g.foreign() || g.proto == isARP {
		return nil, nil
	}
	if m, err := g.device.master(); err != nil || m != nil {
		return nil, err
	}
	if dev, ok := g.device.space.has(g.dst); ok {
		return []lab.Decision{{Kind: lab.DecideLocal, Values: map[string]string{"dev": dev}}}, nil
	}
	return nil, nil
}

// natDecisions is what differs, of the fields that are known on both sides.
func natDecisions(was, is tuple) []lab.Decision {
	var all []lab.Decision
	add := func(field, before, after string) {
		all = append(all, lab.Decision{Kind: lab.DecideNAT, Values: map[string]string{
			"field": field, "before": before, "after": after}})
	}
	addr := func(field string, before, after netip.Addr) {
		if before.IsValid() && after.IsValid() && before != after {
			add(field, before.String(), after.String())
		}
	}
	port := func(field string, before, after uint16) {
		if before != 0 && after != 0 && before != after {
			add(field, strconv.Itoa(int(before)), strconv.Itoa(int(after)))
		}
	}
	addr("dst", was.dst, is.dst)
	port("dst_port", was.dstPort, is.dstPort)
	addr("src", was.src, is.src)
	port("src_port", was.srcPort, is.srcPort)
	return all
}

// delivered tells whether the packet was seen to reach a namespace whose own
// address it bears.
func (a *run) delivered(g *sighting) bool {
	if g == nil || g.dir != lab.DirIn || g.raw.kind == unix.PACKET_OTHERHOST {
		return false
	}
	_, ok := g.device.space.has(g.dst)
	return ok
}
