package lab

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// Alive is the same picture with the MACs, states and bridges that the devices have now.
// What is not there any more is marked as missing.
func (p Picture) Alive(k *kernel.Kernel) (Picture, error) {
	now := p.clone()
	now.Live = true
	for _, s := range now.Spaces {
		n, err := k.Namespace(s.Name)
		if errors.Is(err, fs.ErrNotExist) {
			s.Missing = true
			for _, d := range s.Devices {
				d.State = StateMissing
			}
			continue
		}
		if err != nil {
			return Picture{}, err
		}
		if err := s.read(n); err != nil {
			return Picture{}, err
		}
	}
	return now, nil
}

// read reads all the links at once: a bridge may have thousands of ports.
func (s *Space) read(n *kernel.Namespace) error {
	if len(s.Devices) == 0 {
		return nil
	}
	links, err := kernel.Dump(n.Netlink.LinkList)
	if err != nil {
		return fmt.Errorf("list the links in %s: %w", n, err)
	}
	byName, byIndex := map[string]netlink.Link{}, map[int]netlink.Link{}
	ports := map[int]int{}
	for _, l := range links {
		byName[l.Attrs().Name], byIndex[l.Attrs().Index] = l, l
		ports[l.Attrs().MasterIndex]++
	}
	for _, d := range s.Devices {
		link, ok := byName[d.Name]
		if !ok {
			d.State, d.MAC, d.Master = StateMissing, "", ""
			continue
		}
		d.MAC, d.State = link.Attrs().HardwareAddr.String(), stateOf(link)
		d.Master = ""
		if master, ok := byIndex[link.Attrs().MasterIndex]; ok {
			d.Master = master.Attrs().Name
		}
		if link.Type() == "bridge" {
			d.Ports = ports[link.Attrs().Index]
		}
	}
	return nil
}

func stateOf(link netlink.Link) DeviceState {
	switch flags := link.Attrs().RawFlags; {
	case flags&unix.IFF_UP == 0:
		return StateDown
	case flags&unix.IFF_RUNNING == 0:
		return StateNoCarrier
	}
	return StateUp
}
