package op

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// NeighAdd sets a permanent entry of the neighbour table, so that the kernel need
// not ask. It replaces what the kernel has learned of the address, which is a
// cache, as `ip neigh add` would not.
type NeighAdd struct {
	NS   string     `json:"ns,omitempty"`
	Dev  string     `json:"dev"`
	Addr netip.Addr `json:"addr"`
	MAC  string     `json:"mac"`
}

// NeighDel deletes the entry that the NeighAdd of the same fields sets.
type NeighDel NeighAdd

func (NeighAdd) Kind() string { return "neigh-add" }
func (NeighDel) Kind() string { return "neigh-del" }

func (o NeighAdd) Command() lab.Command {
	return lab.IP(o.NS, "neigh", "replace", o.Addr.String(), "lladdr", o.MAC, "dev", o.Dev, "nud", "permanent")
}

func (o NeighDel) Command() lab.Command {
	return lab.IP(o.NS, "neigh", "del", o.Addr.String(), "dev", o.Dev)
}

func (o NeighAdd) Undo() []lab.Op    { return []lab.Op{NeighDel(o)} }
func (o NeighDel) Undo() []lab.Op    { return []lab.Op{NeighAdd(o)} }
func (o NeighAdd) Within() []lab.Ref { return linkRefs(o.NS, o.Dev) }
func (o NeighDel) Within() []lab.Ref { return linkRefs(o.NS, o.Dev) }

// Inverse: an entry that somebody has set takes the place.
func (o NeighAdd) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	n, link, err := undoLink(k, o.NS, o.Dev)
	if err != nil {
		return nil, err
	}
	found, err := o.find(n, link)
	if err != nil {
		return nil, err
	}
	if found != nil && (found.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) != 0 || found.Flags != 0) {
		return nil, fmt.Errorf("%s: %w", o.object(n), lab.ErrTaken)
	}
	return o.Undo(), nil
}

func (o NeighDel) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	if _, _, err := o.find(k); err != nil {
		return nil, err
	}
	return o.Undo(), nil
}

func (o NeighAdd) object(n *kernel.Namespace) string {
	return fmt.Sprintf("neighbour %s on %s in %s", o.Addr, o.Dev, n)
}

func (o NeighAdd) Apply(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Dev)
	if err != nil {
		return err
	}
	mac, err := hardwareAddr(o.MAC)
	if err != nil {
		return err
	}
	if mac == nil || !o.Addr.Is4() {
		return fmt.Errorf("set %s to %q: an IPv4 and an Ethernet address are needed", o.object(n), o.MAC)
	}
	entry := &netlink.Neigh{
		LinkIndex: link.Attrs().Index, Family: netlink.FAMILY_V4,
		State: netlink.NUD_PERMANENT, IP: o.Addr.AsSlice(), HardwareAddr: mac,
	}
	if err := n.Change(func(h *netlink.Handle) error { return h.NeighSet(entry) }); err != nil {
		return fmt.Errorf("set %s: %w", o.object(n), err)
	}
	return nil
}

// Apply deletes the entry that NeighAdd set, no other.
func (o NeighDel) Apply(k *kernel.Kernel) error {
	n, link, err := o.find(k)
	if err != nil {
		return err
	}
	entry := &netlink.Neigh{LinkIndex: link.Attrs().Index, Family: netlink.FAMILY_V4, IP: o.Addr.AsSlice()}
	err = n.Change(func(h *netlink.Handle) error { return h.NeighDel(entry) })
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("%s: %w", NeighAdd(o).object(n), lab.ErrGone)
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", NeighAdd(o).object(n), err)
	}
	return nil
}

// find returns an error wrapping ErrGone where there is no entry, or one that the
// kernel has learned, and ErrChanged where another one is set.
func (o NeighDel) find(k *kernel.Kernel) (*kernel.Namespace, netlink.Link, error) {
	n, link, err := undoLink(k, o.NS, o.Dev)
	if err != nil {
		return nil, nil, err
	}
	found, err := NeighAdd(o).find(n, link)
	switch {
	case err != nil:
		return nil, nil, err
	case found == nil || found.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) == 0:
		return nil, nil, fmt.Errorf("%s: %w", NeighAdd(o).object(n), lab.ErrGone)
	case found.State != netlink.NUD_PERMANENT || found.Flags != 0 || !strings.EqualFold(found.HardwareAddr.String(), o.MAC):
		return nil, nil, fmt.Errorf("%s: %w", NeighAdd(o).object(n), lab.ErrChanged)
	}
	return n, link, nil
}

func (o NeighAdd) Verify(k *kernel.Kernel) error {
	n, link, err := foundLink(k, o.NS, o.Dev)
	if err != nil {
		return err
	}
	e, err := o.find(n, link)
	if err != nil {
		return err
	}
	found := "missing"
	if e != nil {
		found = e.HardwareAddr.String() + " " + strings.ToLower(iproute.NeighState(e.State))
	}
	if want := strings.ToLower(o.MAC) + " permanent"; found != want {
		return &lab.Mismatch{Object: o.object(n), Field: "lladdr", Want: want, Found: found}
	}
	return nil
}

func (o NeighDel) Verify(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Dev)
	if errors.Is(err, lab.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	e, err := NeighAdd(o).find(n, link)
	if err == nil && e != nil && e.State&netlink.NUD_PERMANENT != 0 {
		return &lab.Mismatch{Object: NeighAdd(o).object(n), Field: "lladdr", Want: "gone", Found: e.HardwareAddr.String()}
	}
	return err
}

// find returns nil where the table has no entry.
func (o NeighAdd) find(n *kernel.Namespace, link netlink.Link) (*netlink.Neigh, error) {
	entries, err := kernel.Dump(func() ([]netlink.Neigh, error) {
		return n.Netlink.NeighList(link.Attrs().Index, netlink.FAMILY_V4)
	})
	if err != nil {
		return nil, fmt.Errorf("list the neighbours of %s in %s: %w", o.Dev, n, err)
	}
	for i, e := range entries {
		if kernel.Addr(e.IP) == o.Addr {
			return &entries[i], nil
		}
	}
	return nil, nil
}
