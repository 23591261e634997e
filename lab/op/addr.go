package op

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// AddrAdd gives a link an IPv4 address.
type AddrAdd struct {
	NS   string       `json:"ns,omitempty"`
	Link string       `json:"link"`
	Addr netip.Prefix `json:"addr"`
}

// AddrDel takes an IPv4 address off a link.
type AddrDel AddrAdd

func (AddrAdd) Kind() string { return "addr-add" }
func (AddrDel) Kind() string { return "addr-del" }

func (o AddrAdd) Command() lab.Command {
	return lab.IP(o.NS, "addr", "add", o.Addr.String(), "dev", o.Link)
}

func (o AddrDel) Command() lab.Command {
	return lab.IP(o.NS, "addr", "del", o.Addr.String(), "dev", o.Link)
}

func (o AddrAdd) Undo() []lab.Op    { return []lab.Op{AddrDel(o)} }
func (o AddrDel) Undo() []lab.Op    { return []lab.Op{AddrAdd(o)} }
func (o AddrAdd) Within() []lab.Ref { return linkRefs(o.NS, o.Link) }
func (o AddrDel) Within() []lab.Ref { return linkRefs(o.NS, o.Link) }

func (o AddrAdd) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	n, link, err := undoLink(k, o.NS, o.Link)
	if err != nil {
		return nil, err
	}
	found, err := findAddr(n, link, o.Addr)
	if err != nil {
		return nil, err
	}
	if found != nil {
		return nil, fmt.Errorf("address %s on %s in %s: %w", o.Addr, o.Link, n, lab.ErrTaken)
	}
	addrs, err := addrsOf(n, link, netlink.FAMILY_V4)
	if err != nil || len(addrs) > 0 {
		return o.Undo(), err
	}
	// With its last address a link loses every route (fib_inetaddr_event).
	routes, err := routesBack(o.NS, n, link)
	return append(o.Undo(), routes...), err
}

func (o AddrDel) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	n, link, err := undoLink(k, o.NS, o.Link)
	if err != nil {
		return nil, err
	}
	found, err := findAddr(n, link, o.Addr)
	switch {
	case err != nil:
		return nil, err
	case found == nil:
		return nil, fmt.Errorf("address %s on %s in %s: %w", o.Addr, o.Link, n, lab.ErrGone)
	case !AddrAdd(o).made(*found) || !plainAddr(*found):
		return nil, cantPutBack(n, link, "address "+found.String())
	}
	return o.Undo(), nil
}

// netlinkAddr is what `ip addr add` asks for: no broadcast address, which the
// library would add (facts.md, section 8), and scope host for 127.0.0.0/8.
func netlinkAddr(p netip.Prefix) (*netlink.Addr, error) {
	if !p.Addr().Is4() {
		return nil, fmt.Errorf("%s is no IPv4 address with its prefix length", p)
	}
	scope := netlink.SCOPE_UNIVERSE
	if p.Addr().IsLoopback() {
		scope = netlink.SCOPE_HOST
	}
	return &netlink.Addr{
		IPNet:     &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())},
		Broadcast: net.IPv4zero.To4(),
		Scope:     int(scope),
	}, nil
}

func (o AddrAdd) Apply(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Link)
	if err != nil {
		return err
	}
	err = n.Change(func(h *netlink.Handle) error {
		addr, err := netlinkAddr(o.Addr) // the library changes it
		if err != nil {
			return err
		}
		return h.AddrAdd(link, addr)
	})
	if err != nil {
		return fmt.Errorf("add address %s to %s in %s: %w", o.Addr, o.Link, n, err)
	}
	return nil
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
		addr, err := netlinkAddr(o.Addr)
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

func (o AddrAdd) Verify(k *kernel.Kernel) error {
	n, link, err := foundLink(k, o.NS, o.Link)
	if err != nil {
		return err
	}
	addrs, err := addrsOf(n, link, netlink.FAMILY_V4)
	if err != nil {
		return err
	}
	var others []string
	for _, a := range addrs {
		if o.made(a) {
			return nil
		}
		if prefixOf(a.IPNet).Addr() == o.Addr.Addr() {
			others = append(others, describeAddr(a))
		}
	}
	if others == nil {
		others = []string{"missing"}
	}
	return &lab.Mismatch{
		Object: "link " + o.Link, Field: "address", Want: o.Addr.String(), Found: strings.Join(others, " and "),
	}
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
