package lab

import (
	"slices"
	"strings"
)

// What ops draw with. A namespace or device that no op has made is there all
// the same once an op says something of it: it was there before the lab.

// Space is the namespace of that name, empty for the host's.
func (p *Picture) Space(name string) *Space {
	for _, s := range p.Spaces {
		if s.Name == name {
			return s
		}
	}
	s := &Space{Name: name}
	p.Spaces = append(p.Spaces, s)
	return s
}

// Device is the device of that name in a namespace.
func (p *Picture) Device(ns, name string) *Device {
	s := p.Space(ns)
	if d := s.device(name); d != nil {
		return d
	}
	d := &Device{Name: name}
	s.Devices = append(s.Devices, d)
	return d
}

func (s *Space) device(name string) *Device {
	for _, d := range s.Devices {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Link draws a new device of that kind, down.
func (p *Picture) Link(ns, name, kind string) *Device {
	d := p.Device(ns, name)
	d.Kind, d.State = kind, StateDown
	return d
}

// Cable draws a veth pair.
func (p *Picture) Cable(a, b End) {
	p.Link(a.NS, a.Name, "veth").Peer = &b
	p.Link(b.NS, b.Name, "veth").Peer = &a
}

// Move takes a device to another namespace, where it arrives down and bare.
func (p *Picture) Move(ns, name, to string) {
	d := p.Device(ns, name)
	p.dropRoutes(ns, name)
	from := p.Space(ns)
	from.Devices = slices.DeleteFunc(from.Devices, func(x *Device) bool { return x == d })
	d.State, d.Addrs, d.Neighs, d.Flags, d.Master = StateDown, nil, nil, nil, ""
	there := p.Space(to)
	there.Devices = append(there.Devices, d)
	if d.Peer != nil {
		p.Device(d.Peer.NS, d.Peer.Name).Peer = &End{NS: to, Name: name}
	}
}

// SetState sets a device up or down; down, it loses its routes and neighbours.
func (p *Picture) SetState(ns, name string, state DeviceState) {
	d := p.Device(ns, name)
	d.State = state
	if state == StateDown {
		d.Neighs = nil
		p.dropRoutes(ns, name)
	}
}

func (p *Picture) dropRoutes(ns, dev string) {
	s := p.Space(ns)
	s.Routes = slices.DeleteFunc(s.Routes, func(r Route) bool { return r.Dev == dev })
}

// DropAddr takes an address off a device, and with it the routes that name it as
// their source. With its last address a device loses all of its routes
// (fib_inetaddr_event).
func (p *Picture) DropAddr(ns, name, addr string) {
	s, d := p.Space(ns), p.Device(ns, name)
	d.Addrs = slices.DeleteFunc(d.Addrs, func(a Addr) bool { return a.Addr == addr })
	if len(d.Addrs) == 0 {
		p.dropRoutes(ns, name)
	}
	bare, _, _ := strings.Cut(addr, "/")
	s.Routes = slices.DeleteFunc(s.Routes, func(r Route) bool { return r.Src == bare })
}

// AddRoute draws a route.
func (p *Picture) AddRoute(ns string, r Route) {
	s := p.Space(ns)
	s.Routes = append(s.Routes, r)
	if up := s.device(r.Dev); up != nil && up.Uplink && r.Dst == "default" {
		up.Unrouted = false
	}
}

// DropRoute takes a route away. The default route that was there before the lab
// is not drawn; without it, the uplink leads nowhere. With r.Via empty, the route
// may have any gateway.
func (p *Picture) DropRoute(ns string, r Route) {
	s := p.Space(ns)
	s.Routes = slices.DeleteFunc(s.Routes, func(x Route) bool {
		return x.Type == r.Type && x.Dst == r.Dst && x.Dev == r.Dev && (r.Via == "" || x.Via == r.Via)
	})
	if up := s.device(r.Dev); up != nil && up.Uplink && r.Dst == "default" {
		up.Unrouted = true
	}
}

// SetNeigh gives a device a permanent neighbour; an empty MAC takes it away.
func (p *Picture) SetNeigh(ns, name, addr, mac string) {
	d := p.Device(ns, name)
	i := slices.IndexFunc(d.Neighs, func(n Neigh) bool { return n.Addr == addr })
	switch {
	case i >= 0 && mac == "":
		d.Neighs = slices.Delete(d.Neighs, i, i+1)
	case i >= 0:
		d.Neighs[i].MAC = mac
	case mac != "":
		d.Neighs = append(d.Neighs, Neigh{Addr: addr, MAC: mac})
	}
}

// SetFlag gives a key a value in a list of flags.
func SetFlag(flags []Flag, key, value string) []Flag {
	for i := range flags {
		if flags[i].Key == key {
			flags[i].Value = value
			return flags
		}
	}
	return append(flags, Flag{Key: key, Value: value})
}
