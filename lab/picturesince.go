package lab

import (
	"slices"
	"strconv"
	"strings"
)

// PictureAfter is the picture after the i-th step, from 0, with New set on what
// that step brings.
func PictureAfter(f Facts, steps []Step, i int) Picture {
	return PictureAt(f, steps[:i+1], "").Since(PictureAt(f, steps[:i], ""))
}

// Since is the same picture with New set on what is not in the other one, or not
// so. Where only one of the two is live, states don't count, and where any is,
// neither do MACs: only one would know them. So take the difference first, and
// then Alive, which keeps it.
func (p Picture) Since(before Picture) Picture {
	told := compared{states: p.Live == before.Live, macs: !p.Live && !before.Live}
	was := map[string]bool{}
	before.each(told, func(identity string, _ *bool) { was[identity] = true })
	now := p.clone()
	now.each(told, func(identity string, isNew *bool) { *isNew = !was[identity] })
	return now
}

// News tells whether anything is marked as new.
func (p Picture) News() bool {
	found := false
	p.each(compared{states: true, macs: true}, func(_ string, isNew *bool) { found = found || *isNew })
	return found
}

// compared says what is part of a device's identity besides its name.
type compared struct{ states, macs bool }

// each visits every element with what makes it that element in that state.
func (p *Picture) each(told compared, visit func(identity string, isNew *bool)) {
	if p.More > 0 {
		visit("\x00more\x00"+strconv.Itoa(p.More), &p.MoreNew)
	}
	for _, s := range p.Spaces {
		at := func(words ...string) string { return strings.Join(append([]string{s.Name}, words...), "\x00") }
		visit(at(), &s.New)
		eachFlag(s.Flags, at("flag"), visit)
		for _, d := range s.Devices {
			d.each(at("device", d.Name), told, visit)
		}
		for i := range s.Routes {
			visit(at("route", s.Routes[i].String()), &s.Routes[i].New)
		}
		for i := range s.Rules {
			r := &s.Rules[i]
			visit(at("rule", r.Kind, r.Table, r.Chain, r.Text), &r.New)
		}
		for _, more := range []struct {
			of    string
			count int
			isNew *bool
		}{
			{"devices", s.More.Devices, &s.More.New.Devices},
			{"routes", s.More.Routes, &s.More.New.Routes},
			{"rules", s.More.Rules, &s.More.New.Rules},
		} {
			if more.count > 0 {
				visit(at("more", more.of, strconv.Itoa(more.count)), more.isNew)
			}
		}
	}
}

func (d *Device) each(in string, told compared, visit func(identity string, isNew *bool)) {
	peer := End{}
	if d.Peer != nil {
		peer = *d.Peer
	}
	// Not the namespace of the other end: this end has not changed when that is moved.
	state := d.State
	if !told.states {
		state = StateUnknown
	}
	visit(in+"\x00"+strings.Join([]string{
		d.Kind, d.Master, peer.Name, string(state), strconv.FormatBool(d.Unrouted),
	}, "\x00"), &d.New)
	if told.macs && d.MAC != "" {
		visit(in+"\x00mac\x00"+d.MAC, &d.MACNew)
	}
	eachFlag(d.Flags, in+"\x00flag", visit)
	for i := range d.Addrs {
		visit(in+"\x00addr\x00"+d.Addrs[i].Addr, &d.Addrs[i].New)
	}
	for i := range d.Neighs {
		visit(in+"\x00neigh\x00"+d.Neighs[i].String(), &d.Neighs[i].New)
	}
}

func eachFlag(flags []Flag, in string, visit func(string, *bool)) {
	for i := range flags {
		visit(in+"\x00"+flags[i].Key+"\x00"+flags[i].Value, &flags[i].New)
	}
}

// clone shares nothing that can change with p.
func (p Picture) clone() Picture {
	spaces := make([]*Space, len(p.Spaces))
	for i, s := range p.Spaces {
		c := *s
		c.Flags, c.Routes, c.Rules = slices.Clone(s.Flags), slices.Clone(s.Routes), slices.Clone(s.Rules)
		c.Devices = make([]*Device, len(s.Devices))
		for j, d := range s.Devices {
			e := *d
			e.Addrs, e.Neighs, e.Flags = slices.Clone(d.Addrs), slices.Clone(d.Neighs), slices.Clone(d.Flags)
			c.Devices[j] = &e
		}
		spaces[i] = &c
	}
	p.Spaces = spaces
	return p
}
