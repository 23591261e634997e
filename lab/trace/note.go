package trace

import (
	"net/netip"

	"netlab/lab"
)

// notes are what is odd about a journey besides its end.
func (a *run) notes(legs []*leg, end lab.Ending) ([]lab.Oddity, error) {
	if a.request.Probe == lab.ProbeARP {
		return a.duplicates(legs)
	}
	if end.Outcome != lab.Lost && end.Outcome != lab.Rejected {
		return nil, nil
	}
	var last *leg
	for _, l := range legs {
		if l.kind != lab.LegError {
			last = l
		}
	}
	if last == nil || a.delivered(last.last()) || end.Leg != last.kind {
		return nil, nil
	}
	return a.elsewhere(last)
}

// duplicates: two who are not the same answered for one address (RFC 5227).
func (a *run) duplicates(legs []*leg) ([]lab.Oddity, error) {
	var first *leg
	for _, l := range legs {
		if l.kind != lab.LegReply {
			continue
		}
		if first == nil {
			first = l
			continue
		}
		v := map[string]string{"addr": a.request.To.String()}
		for name, l := range map[string]*leg{"mac": first, "other": l} {
			v[name] = l.all[0].arpMAC.String()
			owner, err := a.scene.owner(a.asking, v[name])
			if err != nil {
				return nil, err
			}
			if owner != nil {
				v[name+"_ns"], v[name+"_dev"] = owner.space.name, owner.Name
			}
		}
		return []lab.Oddity{{Kind: lab.OddDuplicate, Values: v}}, nil
	}
	return nil, nil
}

// elsewhere: a namespace on the way has a cable to the one that has the address,
// and sent the packet another way.
func (a *run) elsewhere(l *leg) ([]lab.Oddity, error) {
	for _, g := range l.main {
		route, ok := routeOf(g.then)
		if !ok {
			continue
		}
		owner, err := a.joined(g.device.space, g.dst)
		if err != nil {
			return nil, err
		}
		if owner == nil || onWay(l, owner.space) {
			continue
		}
		return []lab.Oddity{{Kind: lab.OddElsewhere, Values: named([]string{"addr", g.dst.String(),
			"owner_ns", owner.space.name, "owner_dev", owner.Name, "ns", g.device.space.name, "route", route})}}, nil
	}
	return nil, nil
}

// joined is the device that has the address, at the other end of a cable of sp's.
func (a *run) joined(sp *space, addr netip.Addr) (*device, error) {
	all, err := a.scene.cables(sp)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		name, ok := c.far.space.has(addr)
		if !ok || c.far.space == sp {
			continue
		}
		return c.far.space.deviceNamed(name)
	}
	return nil, nil
}

func routeOf(decisions []lab.Decision) (string, bool) {
	for _, d := range decisions {
		if d.Kind == lab.DecideRoute {
			return d.Values["route"], true
		}
	}
	return "", false
}

func onWay(l *leg, sp *space) bool {
	for _, g := range l.main {
		if g.device.space == sp {
			return true
		}
	}
	return false
}
