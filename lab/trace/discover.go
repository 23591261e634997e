package trace

import (
	"net/netip"

	"netlab/lab"
	"netlab/lab/kernel"
)

const (
	// maxPoints is how many devices are captured on at most.
	maxPoints = 256
	// maxSpaces is how many namespaces are watched at most. Each costs about
	// 0.3 ms to open and watch.
	maxSpaces = 64
	// wide is how many ports a bridge has at most whose ports' other ends are all
	// looked up. Behind a wider one, only the packet itself shows the way.
	wide = 48
)

// walk is one step of discovery: the way of a packet to dst, from a namespace.
type walk struct {
	space *space
	dst   netip.Addr
}

// discover finds the devices that the packet, its answer, and a question for an
// address on the way may cross: from the route to To through cables and bridges
// to the next namespace's, and so on; and back again.
func discover(k *kernel.Kernel, r Request) (*scene, error) {
	s := newScene(k)
	var err error
	if s.from, err = s.space(r.From); err != nil {
		return nil, err
	}
	s.goals = []netip.Addr{r.To}
	// What answers goes back to the address that the packet is sent from.
	routes, refused, err := s.from.routesTo(r.To, nil)
	if err != nil {
		return nil, err
	}
	if refused == 0 {
		if src := kernel.Addr(routes[0].Src); src.IsValid() {
			s.goals = append(s.goals, src)
		}
	}
	if r.Dev != "" {
		d, err := s.from.deviceNamed(r.Dev)
		if err != nil {
			return nil, err
		}
		if err := s.follow(d); err != nil {
			return nil, err
		}
	}
	if err := s.visit(s.from); err != nil {
		return nil, err
	}
	for _, name := range r.Also {
		sp, err := s.space(name)
		if err != nil {
			return nil, err
		}
		if err := sp.list(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// visit finds where packets to the goals leave the namespace.
func (s *scene) visit(sp *space) error {
	for _, dst := range s.goals {
		w := walk{sp, dst}
		if s.walked[w] {
			continue
		}
		s.walked[w] = true
		if err := s.leave(sp, dst); err != nil {
			return err
		}
	}
	return nil
}

func (s *scene) leave(sp *space, dst netip.Addr) error {
	routes, _, err := sp.routesTo(dst, nil) // none is an answer too
	if err != nil {
		return err
	}
	for _, r := range routes {
		d, err := sp.device(r.LinkIndex)
		if err != nil {
			return err
		}
		if d == nil {
			continue
		}
		if err := s.follow(d); err != nil {
			return err
		}
	}
	return nil
}

// follow finds what hangs on a device: the cable's other end, the bridge's ports,
// the device under it.
func (s *scene) follow(d *device) error {
	if d.followed {
		return nil
	}
	d.followed = true
	s.capture(d)
	if d.kind == "bridge" {
		return s.ports(d)
	}
	if d.kind == "veth" {
		peer, err := s.peer(d)
		if err != nil || peer == nil {
			return err
		}
		return s.arrive(peer)
	}
	if d.NetNsID < 0 && d.ParentIndex > 0 { // a VLAN, MACVLAN and the like, on another device here
		under, err := d.space.device(d.ParentIndex)
		if err != nil || under == nil {
			return err
		}
		return s.follow(under)
	}
	return nil
}

// arrive finds where a frame that comes in on d may go.
func (s *scene) arrive(d *device) error {
	s.capture(d)
	bridge, err := d.master()
	if err != nil {
		return err
	}
	if bridge != nil {
		if err := s.follow(bridge); err != nil {
			return err
		}
	}
	return s.visit(d.space)
}

func (s *scene) ports(bridge *device) error {
	ports, err := s.portsOf(bridge)
	if err != nil {
		return err
	}
	for _, p := range ports {
		s.capture(p)
	}
	if len(ports) > wide {
		return nil
	}
	for _, p := range ports {
		if err := s.follow(p); err != nil {
			return err
		}
	}
	return nil
}

// capture adds a device to the points.
func (s *scene) capture(d *device) bool {
	if d.point {
		return true
	}
	if len(s.points) >= maxPoints {
		s.cut = true
		return false
	}
	d.point = true
	s.points = append(s.points, d)
	return true
}

// list captures on all devices of a namespace that is watched besides.
func (sp *space) list(s *scene) error {
	links, err := sp.links()
	if err != nil {
		return err
	}
	for _, link := range links {
		s.capture(sp.add(link))
	}
	return nil
}

// beyond tells whether the packet left by a cable whose other end was not watched,
// and watches it.
func (s *scene) beyond(seen []*sighting) bool {
	before := len(s.spaces)
	for _, g := range seen {
		if g.dir != lab.DirOut || g.kind == KindARPRequest || g.kind == KindARPReply {
			continue
		}
		for _, addr := range []netip.Addr{g.src, g.dst} {
			s.goal(addr)
		}
		if err := s.follow(g.device); err != nil {
			return false
		}
	}
	return len(s.spaces) > before
}

func (s *scene) goal(addr netip.Addr) {
	for _, known := range s.goals {
		if known == addr {
			return
		}
	}
	s.goals = append(s.goals, addr)
	for _, sp := range s.spaces {
		_ = s.visit(sp) // what can't be looked up, the scene knows
	}
}
