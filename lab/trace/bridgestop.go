package trace

import (
	"netlab/lab"
)

// flooded is where the frame came to a bridge that knew no port for it, nil if it
// never did.
func (a *run) flooded(g *sighting) *sighting {
	for at := g; at != nil; at = at.before {
		for _, d := range at.then {
			if d.Kind == lab.DecideBridge && d.Values["flooded"] == "yes" && !at.group() {
				return at
			}
		}
	}
	return nil
}

// notTaken: the frame came in, and is for another's MAC. Where a bridge flooded
// it, the one that it is for was not behind a port: then that is the reason.
func (f *finder) notTaken(g *sighting) (*sighting, error) {
	if from := f.flooded(g); from != nil {
		bridge, err := f.bridgeAt(from)
		if err != nil {
			return nil, err
		}
		if bridge != nil {
			if ok, err := f.plugged(bridge, withMAC(g.dstMAC)); err != nil || !ok {
				return from, err
			}
		}
	}
	f.found(WrongMAC, f.inNS(f.space, "ip", "link", "show", "dev", g.device.Name),
		"mac", g.dstMAC.String(), "own", g.device.HardwareAddr.String(), "dev", g.device.Name)
	return g, nil
}

// bridgeAt is the bridge that a packet seen at g is in.
func (f *finder) bridgeAt(g *sighting) (*device, error) {
	if g.device.kind == "bridge" {
		return g.device, nil
	}
	return g.device.master()
}

// notBridged: the packet came to a bridge by a port, is not for the bridge, and
// was not seen to go on.
func (f *finder) notBridged(g *sighting, bridge *device) error {
	if ok, err := f.up(bridge); err != nil || !ok {
		return err
	}
	if ok, err := f.plugged(bridge, withMAC(g.dstMAC)); err != nil || !ok {
		return err
	}
	if ok, err := f.apart(g, bridge); err != nil || !ok {
		return err
	}
	if ok, err := f.bridgeWall(g, bridge); err != nil || !ok || f.maybe != nil {
		return err
	}
	// What else a bridge forwards by can't all be read.
	f.found(Unknown, f.inNS(f.space, "bridge", "-d", "link", "show"))
	return nil
}

// bridgeWall: the bridge's own firewall lets the frame pass from port to port.
func (f *finder) bridgeWall(g *sighting, bridge *device) (bool, error) {
	var out *device
	if e, known := f.behind(bridge, g); known && e.how != fdbLocal {
		var err error
		if out, err = f.space.device(e.port); err != nil {
			return false, err
		}
	}
	p := f.passage(g, g.device, out)
	p.bridged = true
	return f.firewall(p, "prerouting", "forward", "postrouting")
}

// apart: between two ports that are both isolated, a bridge forwards nothing
// (br_skb_isolated, net/bridge/br_private.h).
func (f *finder) apart(g *sighting, bridge *device) (bool, error) {
	e, known := f.behind(bridge, g)
	if !known || e.how == fdbLocal {
		return true, nil
	}
	port, err := f.space.device(e.port)
	if err != nil || port == nil {
		return err == nil, err
	}
	for _, d := range []*device{g.device, port} {
		if isolated, err := d.isolated(); err != nil || !isolated {
			return err == nil, err
		}
	}
	f.found(IsolatedPorts, f.inNS(f.space, "bridge", "-d", "link", "show"), "bridge", bridge.Name, "port", g.device.Name, "other", port.Name)
	return false, nil
}
