package op

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

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
		return nil, fmt.Errorf("address %s on %s: %w", o.Addr, o.Link, lab.ErrTaken)
	}
	return o.Undo(), nil
}

func (o AddrDel) Inverse(*kernel.Kernel) ([]lab.Op, error) { return o.Undo(), nil }

// netlinkAddr asks for no broadcast address: the library would add one, which
// `ip addr add` does not (facts.md, section 8).
func netlinkAddr(p netip.Prefix) *netlink.Addr {
	return &netlink.Addr{
		IPNet:     &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())},
		Broadcast: net.IPv4zero.To4(),
	}
}

func (o AddrAdd) Apply(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Link)
	if err != nil {
		return err
	}
	err = n.Change(func(h *netlink.Handle) error { return h.AddrAdd(link, netlinkAddr(o.Addr)) })
	if err != nil {
		return fmt.Errorf("add address %s to %s in %s: %w", o.Addr, o.Link, n, err)
	}
	return nil
}

func (o AddrDel) Apply(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Link)
	if err != nil {
		return err
	}
	err = n.Change(func(h *netlink.Handle) error { return h.AddrDel(link, netlinkAddr(o.Addr)) })
	if errors.Is(err, unix.EADDRNOTAVAIL) {
		return fmt.Errorf("address %s on %s: %w", o.Addr, o.Link, lab.ErrGone)
	}
	if err != nil {
		return fmt.Errorf("delete address %s from %s in %s: %w", o.Addr, o.Link, n, err)
	}
	return nil
}

func (o AddrAdd) Verify(k *kernel.Kernel) error {
	n, err := k.Namespace(o.NS)
	if err != nil {
		return err
	}
	link, err := foundLink(n, o.Link)
	if err != nil {
		return err
	}
	found, err := findAddr(n, link, o.Addr)
	if err == nil && found == nil {
		return &lab.Mismatch{Object: "link " + o.Link, Field: "address", Want: o.Addr.String(), Found: "missing"}
	}
	return err
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

// findAddr is the address of exactly this prefix on the link, or nil.
func findAddr(n *kernel.Namespace, link netlink.Link, want netip.Prefix) (*netlink.Addr, error) {
	addrs, err := kernel.Dump(func() ([]netlink.Addr, error) { return n.Netlink.AddrList(link, netlink.FAMILY_V4) })
	if err != nil {
		return nil, fmt.Errorf("read the addresses of %s in %s: %w", link.Attrs().Name, n, err)
	}
	for i, a := range addrs {
		ip, _ := netip.AddrFromSlice(a.IP)
		bits, _ := a.Mask.Size()
		if netip.PrefixFrom(ip.Unmap(), bits) == want {
			return &addrs[i], nil
		}
	}
	return nil, nil
}
