package cause

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

// neighbours: what each end has for the other's MAC must be the one it has now.
// A cached one that isn't is 27 s of silence (facts.md, section 6).
func (f *finder) neighbours() error {
	if !f.past(Gateway) {
		return nil
	}
	right, err := f.neighbour(f.podLink, f.Gateway, f.hostLink)
	if err != nil {
		return err
	}
	f.pinned = right
	if f.wants(Host, Outside) {
		_, err = f.neighbour(f.hostLink, f.Pod.Addr(), f.podLink)
	}
	return err
}

// neighbour tells whether addr's entry on dev is the other end's MAC for good.
func (f *finder) neighbour(dev device, addr netip.Addr, other device) (bool, error) {
	entries, err := kernel.Dump(func() ([]netlink.Neigh, error) {
		return dev.n.Netlink.NeighList(dev.Index, netlink.FAMILY_V4)
	})
	if err != nil {
		return false, fmt.Errorf("list neighbours in %s: %w", dev.n, err)
	}
	for _, e := range entries {
		if kernel.Addr(e.IP) != addr || e.State&(netlink.NUD_INCOMPLETE|netlink.NUD_FAILED) != 0 || e.State == netlink.NUD_NONE {
			continue
		}
		fixed := e.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) != 0
		want, found := other.HardwareAddr.String(), e.HardwareAddr.String()
		if found == want {
			return fixed, nil
		}
		id := NeighbourStale
		if fixed {
			id = NeighbourWrong
		}
		f.found(id, lab.IP(dev.n.Name, "neigh", "del", addr.String(), "dev", dev.Name),
			"in", dev.n.String(), "addr", addr.String(), "dev", dev.Name, "want", want, "found", found)
	}
	return false, nil
}
