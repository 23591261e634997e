package lab

import "slices"

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
	d.State, d.Addrs, d.Flags, d.Master = StateDown, nil, nil, ""
	there := p.Space(to)
	there.Devices = append(there.Devices, d)
	if d.Peer != nil {
		p.Device(d.Peer.NS, d.Peer.Name).Peer = &End{NS: to, Name: name}
	}
}

// SetState sets a device up or down; down, it loses its routes.
func (p *Picture) SetState(ns, name string, state DeviceState) {
	p.Device(ns, name).State = state
	if state == StateDown {
		p.dropRoutes(ns, name)
	}
}

func (p *Picture) dropRoutes(ns, dev string) {
	s := p.Space(ns)
	s.Routes = slices.DeleteFunc(s.Routes, func(r Route) bool { return r.Dev == dev })
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
