package op

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
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

// made tells whether an address is what the command makes.
func (o AddrAdd) made(a netlink.Addr) bool {
	want, err := netlinkAddr(o.Addr)
	return err == nil && prefixOf(a.IPNet) == o.Addr && !hasPeer(a) && a.Scope == want.Scope
}

// hasPeer: the library names an address without a peer as its own peer.
func hasPeer(a netlink.Addr) bool { return a.Peer != nil && !a.Peer.IP.Equal(a.IP) }

// plainAddr tells whether an address has nothing that the command doesn't name.
func plainAddr(a netlink.Addr) bool {
	const own = unix.IFA_F_PERMANENT | unix.IFA_F_SECONDARY
	return a.Broadcast == nil && !strings.Contains(a.Label, ":") && a.Flags&^own == 0 && a.Flags&unix.IFA_F_PERMANENT != 0
}

// describeAddr is an address as iproute2 would write it.
func describeAddr(a netlink.Addr) string {
	s := prefixOf(a.IPNet).String()
	if hasPeer(a) {
		s = fmt.Sprintf("%s peer %s", a.IP, a.Peer)
	}
	if scope := netlink.Scope(a.Scope); scope != netlink.SCOPE_UNIVERSE {
		s += " scope " + scope.String()
	}
	return s
}

// findAddr is the address that stands in this one's place, or nil: the kernel
// takes one of the same length in the same subnet for the same (inet_insert_ifa).
func findAddr(n *kernel.Namespace, link netlink.Link, want netip.Prefix) (*netlink.Addr, error) {
	addrs, err := addrsOf(n, link, netlink.FAMILY_V4)
	if err != nil {
		return nil, err
	}
	for i, a := range addrs {
		subnet := a.IPNet
		if a.Peer != nil {
			subnet = a.Peer
		}
		if prefixOf(a.IPNet).Addr() == want.Addr() && prefixOf(subnet).Masked() == want.Masked() {
			return &addrs[i], nil
		}
	}
	return nil, nil
}

// hasSecondaries tells whether other addresses would go with this one.
func hasSecondaries(n *kernel.Namespace, link netlink.Link, first netlink.Addr) (bool, error) {
	if first.Flags&unix.IFA_F_SECONDARY != 0 {
		return false, nil
	}
	addrs, err := addrsOf(n, link, netlink.FAMILY_V4)
	if err != nil {
		return false, err
	}
	subnet := prefixOf(first.IPNet).Masked()
	if !slices.ContainsFunc(addrs, func(a netlink.Addr) bool {
		return a.Flags&unix.IFA_F_SECONDARY != 0 && prefixOf(a.IPNet).Masked() == subnet
	}) {
		return false, nil
	}
	for _, conf := range []string{"all", link.Attrs().Name} {
		promote, err := n.Sysctl("net/ipv4/conf/" + conf + "/promote_secondaries")
		if err != nil {
			return false, err
		}
		if promote != "0" {
			return false, nil
		}
	}
	return true, nil
}

func addrsOf(n *kernel.Namespace, link netlink.Link, family int) ([]netlink.Addr, error) {
	addrs, err := kernel.Dump(func() ([]netlink.Addr, error) { return n.Netlink.AddrList(link, family) })
	if err != nil {
		return nil, fmt.Errorf("read the addresses of %s in %s: %w", link.Attrs().Name, n, err)
	}
	return addrs, nil
}

func prefixOf(ipnet *net.IPNet) netip.Prefix {
	ip, _ := netip.AddrFromSlice(ipnet.IP)
	bits, _ := ipnet.Mask.Size()
	return netip.PrefixFrom(ip.Unmap(), bits)
}
