package op

import (
	"fmt"
	"strings"
	"time"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

// LinkSetAddress gives a link another Ethernet address.
type LinkSetAddress struct {
	NS   string `json:"ns,omitempty"`
	Name string `json:"name"`
	MAC  string `json:"mac"`
	// Left is, in an undo, the address that the lab left.
	Left string `json:"left,omitempty"`
}

func (LinkSetAddress) Kind() string { return "link-set-address" }

func (o LinkSetAddress) Command() lab.Command {
	return lab.IP(o.NS, "link", "set", o.Name, "address", o.MAC)
}

// Undo can't know what was there before; see Inverse.
func (o LinkSetAddress) Undo() []lab.Op    { return nil }
func (o LinkSetAddress) Within() []lab.Ref { return linkRefs(o.NS, o.Name) }

// Inverse reads the address before. What can't be put back is that the kernel had
// drawn it (addr_assign_type in sysfs): from now on it counts as set by somebody,
// so udev leaves it alone, and a bridge no longer takes its ports' lowest one.
func (o LinkSetAddress) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	_, link, err := undoLink(k, o.NS, o.Name)
	if err != nil {
		return nil, err
	}
	was := link.Attrs().HardwareAddr.String()
	if strings.EqualFold(was, o.MAC) {
		return nil, nil
	}
	return []lab.Op{LinkSetAddress{NS: o.NS, Name: o.Name, MAC: was, Left: o.MAC}}, nil
}

// Apply sets the address until it is read back: udev may be about to write one of
// its own to a device that has just come (facts.md, section 6). Once it sees that
// somebody has set one, it leaves the device alone. Calico tries for as long.
func (o LinkSetAddress) Apply(k *kernel.Kernel) error {
	mac, err := hardwareAddr(o.MAC)
	if err != nil {
		return err
	}
	const patience = 5 * time.Second
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		n, link, err := undoLink(k, o.NS, o.Name)
		if err != nil {
			return err
		}
		now := link.Attrs().HardwareAddr.String()
		if o.Left != "" && !strings.EqualFold(now, o.Left) && !strings.EqualFold(now, o.MAC) {
			return fmt.Errorf("link %s in %s has address %s, the lab left %s: %w", o.Name, n, now, o.Left, lab.ErrChanged)
		}
		err = n.Change(func(h *netlink.Handle) error { return h.LinkSetHardwareAddr(link, mac) })
		if err != nil {
			return fmt.Errorf("set the address of link %s in %s: %w", o.Name, n, err)
		}
		if err := o.Verify(k); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func (o LinkSetAddress) Verify(k *kernel.Kernel) error {
	_, link, err := foundLink(k, o.NS, o.Name)
	if err != nil {
		return err
	}
	return verifyMAC(link, o.MAC)
}

func verifyMAC(link netlink.Link, want string) error {
	found := link.Attrs().HardwareAddr.String()
	if strings.EqualFold(found, want) {
		return nil
	}
	if mac, err := hardwareAddr(want); err == nil && mac.String() == found { // written in another way
		return nil
	}
	return &lab.Mismatch{Object: "link " + link.Attrs().Name, Field: "address", Want: want, Found: found}
}
