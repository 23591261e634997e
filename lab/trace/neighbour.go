package trace

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// neighbour is an entry of a neighbour table, as it is. A zero state is none.
type neighbour struct {
	dev   *device
	addr  netip.Addr
	mac   string // empty: not resolved
	state int
}

func (d *device) neighbour(addr netip.Addr) (neighbour, error) {
	e := neighbour{dev: d, addr: addr}
	entries, err := d.space.neighbours(d.Index, netlink.FAMILY_V4)
	if err != nil {
		return e, err
	}
	for _, n := range entries {
		if kernel.Addr(n.IP) != addr {
			continue
		}
		e.state = n.State
		if n.State&(unix.NUD_INCOMPLETE|unix.NUD_FAILED) == 0 {
			e.mac = n.HardwareAddr.String()
		}
	}
	return e, nil
}

// stateWord is the state as `ip neigh` writes it, empty without an entry.
func (e neighbour) stateWord() string {
	if e.state == unix.NUD_NONE {
		return ""
	}
	return iproute.NeighState(e.state)
}

// resolved is lab.DecideNeighbour: by mac the frame went on.
func (a *run) resolved(d *device, addr netip.Addr, mac string) (lab.Decision, error) {
	e, err := d.neighbour(addr)
	if err != nil {
		return lab.Decision{}, err
	}
	if mac == "" {
		mac = e.mac
	}
	v := map[string]string{"addr": addr.String(), "dev": d.Name}
	if mac != "" {
		v["mac"] = mac
	}
	if w := e.stateWord(); w != "" {
		v["state"] = w
	}
	if a.asked(d, addr) {
		v["asked"] = "yes"
	}
	owner, err := a.scene.owner(d, mac)
	if err != nil {
		return lab.Decision{}, err
	}
	if owner != nil {
		v["owner_ns"], v["owner_dev"] = owner.space.name, owner.Name
		if _, ok := owner.space.has(addr); !ok {
			v["proxy"] = "yes"
		}
	}
	return lab.Decision{Kind: lab.DecideNeighbour, Values: v}, nil
}

// asked tells whether the device's namespace was seen to ask for the address.
func (a *run) asked(d *device, addr netip.Addr) bool {
	for _, g := range a.sightings {
		if g.kind == KindARPRequest && g.device == d && g.dir == lab.DirOut && g.dst == addr {
			return true
		}
	}
	return false
}

// owner is the device that has that MAC, among those that a frame from d can
// reach without a router; nil where it is not known.
func (s *scene) owner(d *device, mac string) (*device, error) {
	if mac == "" {
		return nil, nil
	}
	all, err := s.segment(d)
	if err != nil {
		return nil, err
	}
	var port *device
	for _, o := range all {
		if o.HardwareAddr.String() != mac {
			continue
		}
		// A bridge may bear the MAC of one of its ports (br_stp_recalculate_bridge_id):
		// frames for it are the bridge's.
		if m, err := o.master(); err != nil {
			return nil, err
		} else if m != nil {
			port = o
			continue
		}
		return o, nil
	}
	return port, nil
}

// segment lists the devices that a frame from d can reach without a router.
func (s *scene) segment(d *device) ([]*device, error) {
	var all []*device
	seen := map[*device]bool{d: true}
	queue := []*device{d}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if at != d {
			all = append(all, at)
		}
		next, err := s.adjacent(at)
		if err != nil {
			return nil, err
		}
		for _, n := range next {
			if !seen[n] {
				seen[n] = true
				queue = append(queue, n)
			}
		}
	}
	return all, nil
}

// adjacent are the other end of the cable and the others on the bridge.
func (s *scene) adjacent(d *device) ([]*device, error) {
	var next []*device
	peer, err := s.peer(d)
	if err != nil {
		return nil, err
	}
	if peer != nil {
		next = append(next, peer)
	}
	bridge, err := d.master()
	if err != nil {
		return nil, err
	}
	if bridge != nil {
		next = append(next, bridge)
	}
	if d.kind == "bridge" {
		ports, err := s.portsOf(d)
		if err != nil {
			return nil, err
		}
		next = append(next, ports...)
	}
	return next, nil
}
