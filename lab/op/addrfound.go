package op

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// made tells whether an address is what the command makes.
func (o AddrAdd) made(a netlink.Addr) bool {
	want, err := o.netlinkAddr()
	return err == nil && kernel.Prefix(a.IPNet) == o.Addr && a.Peer == nil && a.Scope == want.Scope &&
		a.Flags&unix.IFA_F_NOPREFIXROUTE == want.Flags && (!o.Broadcast.IsValid() || kernel.Addr(a.Broadcast) == o.Broadcast)
}

// addrOf is the op that names what can be named of an address on the link.
func addrOf(ns string, link netlink.Link, a netlink.Addr) AddrAdd {
	o := AddrAdd{NS: ns, Link: link.Attrs().Name, Addr: kernel.Prefix(a.IPNet)}
	if want, err := o.netlinkAddr(); err == nil && want.Scope != a.Scope {
		o.Scope = iproute.Scope(netlink.Scope(a.Scope))
	}
	o.NoPrefixRoute = a.Flags&unix.IFA_F_NOPREFIXROUTE != 0
	return o
}

// plainAddr tells whether an address has nothing that the command doesn't name.
func plainAddr(a netlink.Addr) bool {
	const own = unix.IFA_F_PERMANENT | unix.IFA_F_SECONDARY | unix.IFA_F_NOPREFIXROUTE
	return a.Broadcast == nil && !strings.Contains(a.Label, ":") && a.Flags&^own == 0 && a.Flags&unix.IFA_F_PERMANENT != 0
}

// describeAddr is an address as iproute2 would write it.
func describeAddr(a netlink.Addr) string {
	s := kernel.Prefix(a.IPNet).String()
	if a.Peer != nil {
		s = fmt.Sprintf("%s peer %s", a.IP, a.Peer)
	}
	if a.Broadcast != nil && !a.Broadcast.IsUnspecified() {
		s += " brd " + a.Broadcast.String()
	}
	if scope := netlink.Scope(a.Scope); scope != netlink.SCOPE_UNIVERSE {
		s += " scope " + iproute.Scope(scope)
	}
	if a.Flags&unix.IFA_F_NOPREFIXROUTE != 0 {
		s += " noprefixroute"
	}
	return s
}

// describe says the same of the address that the command makes.
func (o AddrAdd) describe() string {
	a, err := o.netlinkAddr()
	if err != nil {
		return o.Addr.String()
	}
	return describeAddr(*a)
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
		if kernel.Prefix(a.IPNet).Addr() == want.Addr() && kernel.Prefix(subnet).Masked() == want.Masked() {
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
	subnet := kernel.Prefix(first.IPNet).Masked()
	if !slices.ContainsFunc(addrs, func(a netlink.Addr) bool {
		return a.Flags&unix.IFA_F_SECONDARY != 0 && kernel.Prefix(a.IPNet).Masked() == subnet
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
	addrs, err := n.Addrs(link, family)
	if err != nil {
		return nil, fmt.Errorf("read the addresses of %s in %s: %w", link.Attrs().Name, n, err)
	}
	return addrs, nil
}
