package lab

import (
	"slices"
	"strings"
)

// PictureAfter is the picture after the i-th step, from 0, with New set on what
// that step brings.
func PictureAfter(f Facts, steps []Step, i int) Picture {
	return PictureAt(f, steps[:i+1], "").Since(PictureAt(f, steps[:i], ""))
}

// Since is the same picture with New set on what is not in the other one, or not
// so. MACs don't count, nor, where only one of the two is live, states: only one
// would know them. So take the difference first, and then Alive, which keeps it.
func (p Picture) Since(before Picture) Picture {
	states := p.Live == before.Live
	was := map[string]bool{}
	before.each(states, func(identity string, _ *bool) { was[identity] = true })
	now := p.clone()
	now.each(states, func(identity string, isNew *bool) { *isNew = !was[identity] })
	return now
}

// News tells whether anything is marked as new.
func (p Picture) News() bool {
	found := false
	p.each(true, func(_ string, isNew *bool) { found = found || *isNew })
	return found
}

// each visits every element with what makes it that element in that state.
func (p Picture) each(states bool, visit func(identity string, isNew *bool)) {
	for _, s := range p.Spaces {
		at := func(words ...string) string { return strings.Join(append([]string{s.Name}, words...), "\x00") }
		visit(at(), &s.New)
		eachFlag(s.Flags, at("flag"), visit)
		for _, d := range s.Devices {
			in := at("device", d.Name)
			peer := End{}
			if d.Peer != nil {
				peer = *d.Peer
			}
			// Not the namespace of the other end: this end has not changed when that is moved.
			state := d.State
			if !states {
				state = StateUnknown
			}
			visit(in+"\x00"+strings.Join([]string{d.Kind, d.Master, peer.Name, string(state)}, "\x00"), &d.New)
			eachFlag(d.Flags, in+"\x00flag", visit)
			for i := range d.Addrs {
				visit(in+"\x00addr\x00"+d.Addrs[i].Addr, &d.Addrs[i].New)
			}
		}
		for i := range s.Routes {
			visit(at("route", s.Routes[i].String()), &s.Routes[i].New)
		}
		for i := range s.Rules {
			r := &s.Rules[i]
			visit(at("rule", r.Kind, r.Table, r.Chain, r.Text), &r.New)
		}
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
			e.Addrs, e.Flags = slices.Clone(d.Addrs), slices.Clone(d.Flags)
			c.Devices[j] = &e
		}
		spaces[i] = &c
	}
	p.Spaces = spaces
	return p
}
