package op

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// AddrDel takes off a link the IPv4 address that the AddrAdd of the same fields
// gives it.
type AddrDel AddrAdd

func (AddrDel) Kind() string { return "addr-del" }

func (o AddrDel) Command() lab.Command {
	return lab.IP(o.NS, "addr", "del", o.Addr.String(), "dev", o.Link)
}

func (o AddrDel) Undo() []lab.Op    { return []lab.Op{AddrAdd(o)} }
func (o AddrDel) Within() []lab.Ref { return linkRefs(o.NS, o.Link) }

// Inverse gives the address back as it was, with the routes that the kernel drops
// with it: those that name it as a source, and with the last address of a link
// all of the link's. The routes that the kernel made for it come back with it.
func (o AddrDel) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	n, link, err := undoLink(k, o.NS, o.Link)
	if err != nil {
		return nil, err
	}
	found, err := findAddr(n, link, o.Addr)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, fmt.Errorf("address %s on %s in %s: %w", o.Addr, o.Link, n, lab.ErrGone)
	}
	back, ok := addrBack(o.NS, link, *found)
	if !ok || !AddrAdd(o).made(*found) {
		return nil, cantPutBack(n, link, "address "+found.String())
	}
	addrs, err := addrsOf(n, link, netlink.FAMILY_V4)
	if err != nil {
		return nil, err
	}
	if !comesLast(addrs, *found) {
		return nil, cantPutBack(n, link, "order of addresses, with "+o.Addr.String()+" before others,")
	}
	undo := []lab.Op{back}
	if len(addrs) == 1 {
		routes, err := routesBack(o.NS, n, link)
		if err != nil {
			return nil, err
		}
		undo = append(undo, routes...)
	}
	routes, err := routesFrom(o.NS, n, o.Addr.Addr(), func(r netlink.Route) bool {
		return len(addrs) > 1 || r.LinkIndex != link.Attrs().Index
	})
	return append(undo, routes...), err
}

// comesLast tells whether an address that is taken off and given again is where it
// was: the kernel puts the first of a subnet behind all first ones of its scope or
// a narrower one, and any other behind everything (inet_insert_ifa).
func comesLast(addrs []netlink.Addr, a netlink.Addr) bool {
	i := slices.IndexFunc(addrs, func(b netlink.Addr) bool { return a.Equal(b) })
	behind := addrs[i+1:]
	if a.Flags&unix.IFA_F_SECONDARY != 0 {
		return len(behind) == 0
	}
	return !slices.ContainsFunc(behind, func(b netlink.Addr) bool {
		if b.Flags&unix.IFA_F_SECONDARY != 0 {
			return kernel.Prefix(b.IPNet).Masked() == kernel.Prefix(a.IPNet).Masked()
		}
		return b.Scope >= a.Scope
	})
}

// routesFrom adds again the main table's routes with that source which the kernel
// hasn't made itself, and which pick picks. It drops none of other tables
// (fib_sync_down_addr).
func routesFrom(ns string, n *kernel.Namespace, src netip.Addr, pick func(netlink.Route) bool) ([]lab.Op, error) {
	routes, err := routesIn(n, netlink.FAMILY_V4, unix.RT_TABLE_MAIN)
	if err != nil {
		return nil, err
	}
	var back []lab.Op
	for _, r := range routes {
		if kernel.Addr(r.Src) != src || r.Protocol == unix.RTPROT_KERNEL || !pick(r) {
			continue
		}
		o, err := routeBack(ns, n, r)
		if err != nil {
			return nil, err
		}
		back = append(back, o)
	}
	return back, nil
}

// Apply deletes that address alone. With the first address of a subnet the
// kernel would delete the others' secondary ones too, unless it is told to
// promote them.
func (o AddrDel) Apply(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Link)
	if err != nil {
		return err
	}
	found, err := findAddr(n, link, o.Addr)
	if err != nil {
		return err
	}
	object := fmt.Sprintf("address %s on %s in %s", o.Addr, o.Link, n)
	if found == nil {
		return fmt.Errorf("%s: %w", object, lab.ErrGone)
	}
	if !AddrAdd(o).made(*found) {
		return fmt.Errorf("%s: %w", object, lab.ErrChanged)
	}
	used, err := hasSecondaries(n, link, *found)
	if err != nil {
		return err
	}
	if used {
		return fmt.Errorf("%s: %w", object, lab.ErrInUse)
	}
	err = n.Change(func(h *netlink.Handle) error {
		addr, err := AddrAdd(o).netlinkAddr()
		if err != nil {
			return err
		}
		return h.AddrDel(link, addr)
	})
	if errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("%s: %w", object, lab.ErrGone)
	}
	if err != nil {
		return fmt.Errorf("delete address %s from %s in %s: %w", o.Addr, o.Link, n, err)
	}
	return nil
}

func (o AddrDel) Verify(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Link)
	if errors.Is(err, lab.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	found, err := findAddr(n, link, o.Addr)
	if err == nil && found != nil {
		return &lab.Mismatch{Object: "link " + o.Link, Field: "address", Want: "gone", Found: o.Addr.String()}
	}
	return err
}
