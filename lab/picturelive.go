package lab

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// Alive is the same picture with the MACs and states that the devices have now.
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
		for _, d := range s.Devices {
			if err := d.read(n); err != nil {
				return Picture{}, err
			}
		}
	}
	return now, nil
}

func (d *Device) read(n *kernel.Namespace) error {
	link, err := n.Link(d.Name)
	if errors.Is(err, fs.ErrNotExist) {
		d.State, d.MAC = StateMissing, ""
		return nil
	}
	if err != nil {
		return err
	}
	a := link.Attrs()
	d.MAC = a.HardwareAddr.String()
	switch {
	case a.RawFlags&unix.IFF_UP == 0:
		d.State = StateDown
	case a.RawFlags&unix.IFF_RUNNING == 0:
		d.State = StateNoCarrier
	default:
		d.State = StateUp
	}
	return nil
}
