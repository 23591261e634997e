package trace

import (
	"bytes"
	"slices"
	"time"

	"netlab/lab"
)

// result tells the run as a journey.
func (a *run) result(d *drops) (Result, error) {
	legs, err := a.legs()
	if err != nil {
		return Result{}, err
	}
	r := Result{
		Journey: lab.Journey{From: a.scene.from.name, To: a.request.To, Probe: a.request.Probe, Port: a.request.Port},
		Cut:     a.scene.cut,
	}
	end, err := a.ending(legs)
	if err != nil {
		return Result{}, err
	}
	d.explain(legs, &end)
	if end.Notes, err = a.notes(legs, end); err != nil {
		return Result{}, err
	}
	r.Journey.End = end
	if len(a.unsent) > 0 { // decided, and not seen to leave
		r.Journey.Legs = []lab.Leg{{Kind: lab.LegRequest, Start: a.unsent}}
	}
	for _, l := range legs {
		r.Journey.Legs = append(r.Journey.Legs, l.tell(a))
	}
	a.frames(&r, legs)
	return r, nil
}

// legs sorts the sightings into the ways of the packets and tells what was decided
// on them.
func (a *run) legs() ([]*leg, error) {
	byKind := map[string][]*sighting{}
	began := a.asking == nil
	for _, g := range a.sightings {
		// ARP bears no id of the probe's: the way begins where the question was asked.
		began = began || g.kind == KindARPRequest && g.device == a.asking && g.dir == lab.DirOut
		if kind := a.legOf(g); kind != "" && began {
			byKind[kind] = append(byKind[kind], g)
		}
	}
	var legs []*leg
	for _, kind := range []string{lab.LegRequest, lab.LegReply, lab.LegError} {
		for _, seen := range apart(byKind[kind]) {
			l, err := a.scene.trail(kind, seen)
			if err != nil {
				return nil, err
			}
			legs = append(legs, l)
		}
	}
	for i := len(legs) - 1; i >= 0; i-- { // an answer says which copy was answered
		var answering *space
		if i+1 < len(legs) {
			answering = legs[len(legs)-1].madeIn()
			if i == 0 {
				answering = legs[1].madeIn()
			}
		}
		if i == len(legs)-1 && i > 0 || a.request.Probe == lab.ProbeARP && i > 0 {
			answering = a.scene.from
		}
		legs[i].choose(answering)
	}
	for i, l := range legs {
		var err error
		if a.request.Probe != lab.ProbeARP && l.madeIn() != nil {
			if l.start, err = a.made(l.main[0], a.asMade(legs, i)); err != nil {
				return nil, err
			}
		}
		if err := a.decide(l); err != nil {
			return nil, err
		}
	}
	return legs, nil
}

// apart sorts ARP by who says it, the first one first; other frames are one packet's.
func apart(seen []*sighting) [][]*sighting {
	var all [][]*sighting
next:
	for _, g := range seen {
		for i, other := range all {
			if g.proto != isARP || bytes.Equal(other[0].arpMAC, g.arpMAC) {
				all[i] = append(other, g)
				continue next
			}
		}
		all = append(all, []*sighting{g})
	}
	return all
}

// legOf is the kind of leg that a sighting belongs to, empty for none.
func (a *run) legOf(g *sighting) string {
	if a.request.Probe == lab.ProbeARP {
		switch {
		case g.kind == KindARPRequest && g.dst == a.request.To && bytes.Equal(g.arpMAC, a.asking.HardwareAddr):
			return lab.LegRequest
		case g.kind == KindARPReply && g.src == a.request.To && bytes.Equal(g.dstMAC, a.asking.HardwareAddr):
			return lab.LegReply
		}
		return ""
	}
	switch g.kind {
	case KindRequest:
		return lab.LegRequest
	case KindReply:
		return lab.LegReply
	case KindError:
		return lab.LegError
	}
	return ""
}

// asMade is how the first packet of a leg must have been before NAT.
func (a *run) asMade(legs []*leg, i int) tuple {
	switch legs[i].kind {
	case lab.LegRequest:
		made := tuple{dst: a.request.To, dstPort: a.request.Port, srcPort: a.id.source}
		if r, err := (lookup{space: a.scene.from, dst: a.request.To}).ask(); err == nil && r.refused == 0 {
			made.src = r.src
		}
		return made
	case lab.LegReply:
		if q := legs[0].last(); legs[0].kind == lab.LegRequest && q != nil {
			return tuple{src: q.dst, dst: q.src, srcPort: q.dstPort, dstPort: q.srcPort}
		}
	}
	return tuple{}
}

// madeIn is the namespace that the packet was made in; nil: it came in from where
// nobody watches, as by a tunnel or from the real world outside.
func (l *leg) madeIn() *space {
	if first := l.all[0]; first.dir == lab.DirOut {
		return first.device.space
	}
	return nil
}

func (l *leg) tell(a *run) lab.Leg {
	t := lab.Leg{Kind: l.kind, Start: l.start}
	switch p := l.all[0].packet; {
	case l.kind == lab.LegError:
		kind, code := int(p.icmpType), int(p.icmpCode)
		t.Type, t.Code = &kind, &code
	case l.kind == lab.LegReply:
		t.Flags = p.flags()
	}
	for _, g := range l.all {
		h := g.hop(a)
		h.Changed, h.Copy, h.Then = g.changed(), !g.main, g.then
		t.Hops = append(t.Hops, h)
	}
	return t
}

// frames keeps what belongs to the probe: its own frames, and the ARP questions
// that its way needed, with their answers.
func (a *run) frames(r *Result, legs []*leg) {
	number := map[*device]int{}
	for i, d := range a.scene.points {
		number[d] = i
		r.Points = append(r.Points, Point{NS: d.space.name, Dev: d.Name, Ethernet: d.ethernet()})
	}
	also := map[string]bool{}
	for _, name := range a.request.Also {
		if r.Heard == nil {
			r.Heard = map[string][]Heard{}
		}
		r.Heard[name], also[name] = []Heard{}, true
	}
	questions := a.questions(legs)
	for _, g := range a.sightings {
		if (g.kind == KindARPRequest || g.kind == KindARPReply) && !slices.ContainsFunc(questions, g.concerns) {
			continue
		}
		h := g.hop(a)
		h.Changed, h.Copy = g.changed(), a.copied(g)
		r.Frames = append(r.Frames, Frame{
			Point: number[g.device], Dir: g.dir, Time: g.time, Kind: g.kind, Data: g.data, Hop: h, Unsummed: g.unsummed,
			Type: int(g.icmpType), Code: int(g.icmpCode), Flags: g.flags()})
		if name := g.device.space.name; also[name] {
			r.Heard[name] = append(r.Heard[name], Heard{Kind: g.kind, Hop: h})
		}
	}
}

// copied tells whether a frame of a leg was a copy that led nowhere.
func (a *run) copied(g *sighting) bool { return a.legOf(g) != "" && !g.main }

// rtt is the time from the probe to its answer, as it was seen on the devices of
// the namespace that sent it.
func (a *run) rtt(legs []*leg) time.Duration {
	if len(legs) < 2 {
		return 0
	}
	first, last := legs[0].first(), legs[1].last()
	if first == nil || last == nil {
		return 0
	}
	return last.time.Sub(first.time)
}
