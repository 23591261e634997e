package trace

import (
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// cable is a veth's two ends, as they are now.
type cable struct{ near, far *device }

// cables lists those that begin in a namespace and whose other ends can be looked
// at. What is not on the packet's way is looked at for a reason only, so it is
// nothing that a capture lacks.
func (s *scene) cables(sp *space) ([]cable, error) {
	links, err := sp.links()
	if err != nil {
		return nil, err
	}
	cut := s.cut
	defer func() { s.cut = cut }()
	var all []cable
	for _, link := range links {
		d := sp.add(link)
		far, err := s.peer(d)
		if err != nil {
			return nil, err
		}
		if far != nil {
			all = append(all, cable{d, far})
		}
	}
	return all, nil
}

// fresh is the device as it is now, nil where it is no longer there.
func (d *device) fresh() (*netlink.LinkAttrs, error) {
	link, err := d.space.link(d.Index)
	if err != nil || link == nil {
		return nil, err
	}
	return link.Attrs(), nil
}

// plugged: whoever is wanted on the far end of a cable is on this bridge. It finds
// a port that was taken off the bridge, or is down, at either end.
func (f *finder) plugged(bridge *device, wanted func(far *device) bool) (bool, error) {
	all, err := f.scene.cables(bridge.space)
	if err != nil {
		return false, err
	}
	for _, c := range all {
		if !wanted(c.far) {
			continue
		}
		near, err := c.near.fresh()
		if err != nil || near == nil {
			return err == nil, err
		}
		far, err := c.far.fresh()
		if err != nil || far == nil {
			return err == nil, err
		}
		switch {
		case near.RawFlags&unix.IFF_UP == 0:
			f.down(c.near)
		case far.RawFlags&unix.IFF_UP == 0:
			f.down(c.far)
		case near.MasterIndex == bridge.Index:
			continue
		case near.MasterIndex != 0 || f.hasRouteBy(c.near): // on another bridge, or a link of its own
			continue
		default:
			f.found(Unplugged, f.inNS(bridge.space, "bridge", "link", "show"), "port", c.near.Name, "in", bridge.space.name,
				"bridge", bridge.Name, "owner_ns", c.far.space.name, "owner_dev", c.far.Name)
		}
		return false, nil
	}
	return true, nil
}

// hasRouteBy tells whether the device has a route of its own, as a routed pod's has.
// What could not be read, the scene knows.
func (f *finder) hasRouteBy(d *device) bool {
	routes, err := d.space.routes(netlink.Route{LinkIndex: d.Index}, netlink.RT_FILTER_OIF)
	return err == nil && len(routes) > 0
}

func withMAC(mac net.HardwareAddr) func(*device) bool {
	return func(far *device) bool { return far.HardwareAddr.String() == mac.String() }
}

func withAddress(addr netip.Addr) func(*device) bool {
	return func(far *device) bool {
		_, ok := far.space.has(addr)
		return ok
	}
}

// bridgesOf lists the bridges that a frame from d can reach.
func (s *scene) bridgesOf(d *device) ([]*device, error) {
	all, err := s.segment(d)
	if err != nil {
		return nil, err
	}
	if d.kind == "bridge" {
		all = append(all, d)
	}
	var bridges []*device
	for _, o := range all {
		if o.kind == "bridge" {
			bridges = append(bridges, o)
		}
	}
	return bridges, nil
}

// reachable: the one who has the address is plugged into the bridge that a question
// from d is asked on.
func (f *finder) reachable(d *device, addr netip.Addr) (bool, error) {
	bridges, err := f.scene.bridgesOf(d)
	if err != nil {
		return false, err
	}
	for _, bridge := range bridges {
		if ok, err := f.up(bridge); err != nil || !ok {
			return ok, err
		}
		if ok, err := f.plugged(bridge, withAddress(addr)); err != nil || !ok {
			return ok, err
		}
	}
	return true, nil
}

// up: the device is not set down. A bridge that is takes nothing from its ports.
func (f *finder) up(d *device) (bool, error) {
	now, err := d.fresh()
	if err != nil || now == nil {
		return err == nil, err
	}
	if now.RawFlags&unix.IFF_UP == 0 {
		f.down(d)
		return false, nil
	}
	return true, nil
}
