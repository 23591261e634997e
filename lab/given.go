package lab

import "slices"

// Addresser is an Op that gives a link an address.
type Addresser interface {
	Op
	// Address is the address as iproute2 writes it, with all that belongs to it, and
	// where it goes.
	Address() (ns, link, addr string)
}

// Router is an Op that adds a route.
type Router interface {
	Op
	// Destination is where the route leads to, as iproute2 writes it.
	Destination() string
}

// Given is a name or an address that a step sets, and that nobody could guess who has
// to do the step: a link, where it is in the end, what address it gets, or where a
// route leads to, if that is for one group alone.
type Given struct {
	Group    string
	NS, Link string
	Address  string // empty: the link itself is made, or moved there
	Route    string // else nothing but Group is set
}

// Given lists them, in order.
func (s Step) Given() []Given {
	var all []Given
	alike := map[string]int{} // destinations, and of how many groups
	for _, g := range s.Groups {
		for _, o := range g.Ops {
			if r, ok := o.(Router); ok {
				alike[r.Destination()]++
			}
		}
	}
	for group, o := range s.All() {
		if r, ok := o.(Router); ok && len(s.Groups) > 1 && alike[r.Destination()] == 1 {
			all = append(all, Given{Group: group, Route: r.Destination()})
		}
		if a, ok := o.(Addresser); ok {
			g := Given{Group: group}
			g.NS, g.Link, g.Address = a.Address()
			all = append(all, g)
		}
		maker, ok := o.(Maker)
		if !ok {
			continue
		}
		for _, made := range maker.Makes() {
			if made.Kind != RefLink {
				continue
			}
			if d, ok := o.(Dweller); ok { // a move takes it from where it was
				all = slices.DeleteFunc(all, func(g Given) bool {
					return g.Address == "" && g.Link == made.Name &&
						slices.Contains(d.Within(), Ref{Kind: RefLink, NS: g.NS, Name: g.Link})
				})
			}
			all = append(all, Given{Group: group, NS: made.NS, Link: made.Name})
		}
	}
	return all
}
