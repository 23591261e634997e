package op

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// AddrRestore gives a link back an address that was there before.
type AddrRestore struct {
	Address AddrAdd `json:"address"`
	// Broadcast and Label are what it had besides; zero: none, and the link's name.
	Broadcast netip.Addr `json:"broadcast,omitzero"`
	Label     string     `json:"label,omitempty"`
}

func (AddrRestore) Kind() string                               { return "addr-restore" }
func (o AddrRestore) Undo() []lab.Op                           { return nil }
func (o AddrRestore) Within() []lab.Ref                        { return o.Address.Within() }
func (o AddrRestore) Inverse(*kernel.Kernel) ([]lab.Op, error) { return nil, nil }

func (o AddrRestore) Command() lab.Command {
	c := o.Address.Command()
	if o.Broadcast.IsValid() {
		c = append(c, "brd", o.Broadcast.String())
	}
	if o.Label != "" {
		c = append(c, "label", o.Label)
	}
	return c
}

// addrBack is the op that gives back an address as it is now; not ok: there is
// something of it that no op can.
func addrBack(ns string, link netlink.Link, a netlink.Addr) (back AddrRestore, ok bool) {
	o := AddrRestore{Address: addrOf(ns, link, a), Broadcast: kernel.Addr(a.Broadcast)}
	if a.Label != link.Attrs().Name {
		o.Label = a.Label
	}
	return o, o.is(a)
}

// is tells whether an address is exactly the one to give back, but for its being
// secondary, which its neighbours decide.
func (o AddrRestore) is(a netlink.Addr) bool {
	const own = unix.IFA_F_PERMANENT | unix.IFA_F_SECONDARY | unix.IFA_F_NOPREFIXROUTE
	label := o.Label
	if label == "" {
		label = o.Address.Link
	}
	return o.Address.made(a) && kernel.Addr(a.Broadcast) == o.Broadcast && (a.Label == label || a.Label == "") &&
		a.Flags&^own == 0 && a.Flags&unix.IFA_F_PERMANENT != 0
}

// Apply leaves an address alone that is there already. Another one in its place
// is ErrChanged.
func (o AddrRestore) Apply(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.Address.NS, o.Address.Link)
	if err != nil {
		return err
	}
	found, err := findAddr(n, link, o.Address.Addr)
	if err != nil {
		return err
	}
	if found != nil && o.is(*found) {
		return nil
	}
	if found != nil {
		return fmt.Errorf("address %s on %s in %s: %w", o.Address.Addr, o.Address.Link, n, lab.ErrChanged)
	}
	err = n.Change(func(h *netlink.Handle) error {
		addr, err := o.Address.netlinkAddr()
		if err != nil {
			return err
		}
		if o.Broadcast.IsValid() {
			addr.Broadcast = net.IP(o.Broadcast.AsSlice())
		}
		addr.Label = o.Label
		return h.AddrAdd(link, addr)
	})
	if err != nil {
		return fmt.Errorf("give %s in %s back its address %s: %w", o.Address.Link, n, o.Address.Addr, err)
	}
	return nil
}

func (o AddrRestore) Verify(k *kernel.Kernel) error {
	n, link, err := foundLink(k, o.Address.NS, o.Address.Link)
	if err != nil {
		return err
	}
	found, err := findAddr(n, link, o.Address.Addr)
	if err != nil || found != nil && o.is(*found) {
		return err
	}
	is := "missing"
	if found != nil {
		is = strings.TrimSpace(describeAddr(*found) + " " + found.Label)
	}
	return &lab.Mismatch{Object: "link " + o.Address.Link, Field: "address", Want: o.Address.describe(), Found: is}
}
