package trace

import (
	"strconv"

	"golang.org/x/sys/unix"

	"netlab/lab"
)

func decimal(i int) string { return strconv.Itoa(i) }

// stopped says why a packet that was last seen at g was not seen again, by reading
// what the namespace has, in the order of the kernel's own path.
func (a *run) stopped(g *sighting, kind string) (lab.Ending, error) {
	if g == nil {
		return lab.Ending{Leg: kind, Reason: Unknown}, nil
	}
	end := at(g, kind, "", nil)
	f := &finder{run: a, space: g.device.space, kind: kind}
	var err error
	bridge, masterErr := g.device.master()
	if masterErr != nil {
		return end, masterErr
	}
	switch {
	case g.dir == lab.DirOut:
		err = f.cable(g)
	case bridge != nil && g.dstMAC.String() != bridge.HardwareAddr.String():
		err = f.notBridged(g, bridge)
	case bridge == nil && g.foreign():
		var from *sighting
		if from, err = f.notTaken(g); from != nil {
			end.NS, end.Dev = from.device.space.name, from.device.Name
		}
	case a.delivered(g):
		err = f.notAnswered(g)
	default:
		err = f.notForwarded(g)
	}
	if err != nil {
		return end, err
	}
	if f.reason == "" {
		return f.undecided(end), nil
	}
	return f.into(end), nil
}

// finder looks for why a packet stopped in a namespace. The first reason found
// stands. Its looks tell whether the packet would have passed.
type finder struct {
	*run
	space *space
	kind  string

	reason string
	values map[string]string
	look   lab.Command
	dev    string // where it was found, if that is another device than the last
	leg    string // the same for the leg
	maybe  *lab.Ending
}

func (f *finder) found(reason string, look lab.Command, values ...string) {
	if f.reason == "" {
		f.reason, f.look, f.values = reason, look, named(values)
	}
}

func (f *finder) into(end lab.Ending) lab.Ending {
	end.Reason, end.Values, end.Look = f.reason, f.values, f.look
	if f.dev != "" {
		end.Dev = f.dev
	}
	if f.leg != "" {
		end.Leg = f.leg
	}
	return end
}

// undecided: no certain reason was found, perhaps an uncertain one.
func (f *finder) undecided(end lab.Ending) lab.Ending {
	if f.maybe != nil {
		end.Reason, end.Values, end.Look = f.maybe.Reason, f.maybe.Values, f.maybe.Look
		return end
	}
	end.Reason = Unknown
	return end
}

// cable: the packet left by a device and did not come in at the other end.
func (f *finder) cable(g *sighting) error {
	d := g.device
	if peer, err := f.scene.peer(d); err != nil {
		return err
	} else if peer != nil {
		_, err := f.up(peer)
		return err
	}
	if ok, err := f.link(d); err != nil || !ok {
		return err
	}
	f.found(LeftCaptures, f.inNS(f.space, "ip", "-d", "link", "show", "dev", d.Name), "dev", d.Name)
	return nil
}

func (f *finder) down(d *device) {
	f.found(LinkDown, f.inNS(d.space, "ip", "link", "show", "dev", d.Name), "dev", d.Name, "in", d.space.name)
}

// link: the device is up and has something at its other end.
func (f *finder) link(d *device) (bool, error) {
	now, err := d.fresh()
	if err != nil || now == nil {
		return err == nil, err
	}
	switch flags := now.RawFlags; {
	case flags&unix.IFF_UP == 0:
		f.down(d)
		return false, nil
	case flags&unix.IFF_LOWER_UP == 0:
		f.found(NoCarrier, f.inNS(d.space, "ip", "link", "show", "dev", d.Name), "dev", d.Name, "in", d.space.name)
		return false, nil
	}
	return true, nil
}

// notForwarded: the packet came in, is for another, and did not go on.
func (f *finder) notForwarded(g *sighting) error {
	in := f.enters(g)
	q := lookup{space: f.space, dst: g.dst}
	r, err := q.ask()
	if err != nil {
		return err
	}
	if r.refused == 0 && r.dev != nil && f.asked(r.dev, r.next(g.dst)) { // it has got as far as that
		if ok, err := f.neighbour(r.dev, r.next(g.dst)); err != nil || !ok {
			return f.unresolved(g, r, err)
		}
	}
	for _, look := range []func() (bool, error){
		func() (bool, error) { return f.firewall(f.passage(g, in, nil), "prerouting") },
		func() (bool, error) { return f.forwarding(in) },
		func() (bool, error) { return f.source(g, in) },
		func() (bool, error) { return f.route(q) },
		func() (bool, error) { return f.reversePath(g, in) },
		func() (bool, error) { return f.rules(g, in) },
		func() (bool, error) { return f.hopsLeft(g) },
		func() (bool, error) { return f.firewall(f.passage(g, in, r.dev), "forward", "postrouting") },
		func() (bool, error) { return f.link(r.dev) },
	} {
		if ok, err := look(); err != nil || !ok {
			return err
		}
	}
	if ok, err := f.neighbour(r.dev, r.next(g.dst)); err != nil || !ok {
		return f.unresolved(g, r, err)
	}
	return nil
}

// hopsLeft: a packet that is passed on with a TTL of 1 is not (ip_forward,
// net/ipv4/ip_forward.c).
func (f *finder) hopsLeft(g *sighting) (bool, error) {
	if g.ttl > 1 {
		return true, nil
	}
	f.found(TTLExceeded, f.inNS(f.space, "ip", "route", "get", g.dst.String()), "in", f.space.name)
	return false, nil
}

// unresolved notes the route, and the question that nobody answered.
func (f *finder) unresolved(g *sighting, r found, err error) error {
	if err != nil {
		return err
	}
	n, err := f.resolved(r.dev, r.next(g.dst), "")
	g.then = append(g.then, r.decision(false), n)
	return err
}

// notAnswered: the packet came to a namespace that has the address, and nothing
// came back. For an answer, that it did not reach the program.
func (f *finder) notAnswered(g *sighting) error {
	in := f.enters(g)
	for _, look := range []func() (bool, error){
		func() (bool, error) { return f.firewall(f.passage(g, in, nil), "prerouting") },
		func() (bool, error) { return f.source(g, in) },
		func() (bool, error) { return f.reversePath(g, in) },
		func() (bool, error) { return f.rules(g, in) },
		func() (bool, error) { return f.firewall(f.passage(g, in, nil), "input") },
	} {
		if ok, err := look(); err != nil || !ok {
			return err
		}
	}
	if f.kind != lab.LegRequest {
		return nil
	}
	if ok, err := f.echoes(); err != nil || !ok {
		return err
	}
	if ok, err := f.closed(g); err != nil || !ok {
		return err
	}
	return f.answerUnsent(g)
}

// answerUnsent: the answer was made, perhaps, and was not seen to leave.
func (f *finder) answerUnsent(g *sighting) error {
	f.leg = lab.LegReply
	q := lookup{space: f.space, dst: g.src, src: g.dst}
	if ok, err := f.route(q); err != nil || !ok {
		return err
	}
	r, err := q.ask()
	if err != nil || r.dev == nil {
		return err
	}
	f.dev = r.dev.Name
	p := passage{src: g.dst, dst: g.src, out: r.dev, proto: f.protocol(), srcPort: g.dstPort, dstPort: g.srcPort, reply: true}
	for _, look := range []func() (bool, error){
		func() (bool, error) { return f.link(r.dev) },
		func() (bool, error) { return f.neighbour(r.dev, r.next(g.src)) },
		func() (bool, error) { return f.firewall(p, "output", "postrouting") },
	} {
		if ok, err := look(); err != nil || !ok {
			return err
		}
	}
	f.leg, f.dev = "", ""
	if f.maybe != nil {
		return nil // a better guess than a program that says nothing
	}
	f.found(NoAnswer, f.inNS(f.space, "ss", "-lntu"), "addr", g.dst.String())
	return nil
}
