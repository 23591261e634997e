package op

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

func isUp(link netlink.Link) bool { return link.Attrs().RawFlags&unix.IFF_UP != 0 }

// untouched tells whether a link is as its making or a move leaves it: down, in
// no bridge, and without an address.
func untouched(n *kernel.Namespace, link netlink.Link) (bool, error) {
	if isUp(link) || link.Attrs().MasterIndex != 0 {
		return false, nil
	}
	addrs, err := addrsOf(n, link, netlink.FAMILY_ALL)
	return len(addrs) == 0, err
}

// addrsBack gives a link the IPv4 addresses it has now.
func addrsBack(ns string, n *kernel.Namespace, link netlink.Link) ([]lab.Op, error) {
	addrs, err := addrsOf(n, link, netlink.FAMILY_V4)
	if err != nil {
		return nil, err
	}
	var back []lab.Op
	for _, a := range addrs {
		o := addrOf(ns, link, a)
		if !o.made(a) || !plainAddr(a) {
			return nil, cantPutBack(n, link, "address "+a.String())
		}
		back = append(back, AddrRestore{Address: o})
	}
	return back, nil
}

// routesBack adds the routes over a link again that the kernel drops with the
// link's state and doesn't bring back by itself. What no op can put back, IPv6
// among it, is an error: then the link must stay as it is.
func routesBack(ns string, n *kernel.Namespace, link netlink.Link) ([]lab.Op, error) {
	routes, err := routesIn(n, netlink.FAMILY_ALL, unix.RT_TABLE_UNSPEC)
	if err != nil {
		return nil, err
	}
	var direct, onward []lab.Op
	for _, r := range routes {
		index := link.Attrs().Index
		over := r.LinkIndex == index || slices.ContainsFunc(r.MultiPath, func(h *netlink.NexthopInfo) bool { return h.LinkIndex == index })
		if !over || r.Protocol == unix.RTPROT_KERNEL || r.Protocol == unix.RTPROT_RA {
			continue
		}
		o := routeOf(ns, link, r)
		switch {
		case !o.made(link, r) || r.Protocol != unix.RTPROT_BOOT || r.Family != netlink.FAMILY_V4 || r.Table != unix.RT_TABLE_MAIN:
			return nil, cantPutBack(n, link, "route to "+r.Dst.String())
		case o.Via.IsValid():
			onward = append(onward, RouteRestore{Route: o})
		default:
			direct = append(direct, RouteRestore{Route: o})
		}
	}
	six, err := addrsOf(n, link, netlink.FAMILY_V6)
	if err != nil {
		return nil, err
	}
	for _, a := range six {
		if a.Scope != int(netlink.SCOPE_LINK) && a.Flags&unix.IFA_F_PERMANENT != 0 && !a.IP.IsLoopback() {
			return nil, cantPutBack(n, link, "address "+a.String())
		}
	}
	return append(direct, onward...), nil
}

func cantPutBack(n *kernel.Namespace, link netlink.Link, what string) error {
	return fmt.Errorf("link %s in %s would lose its %s, which can't be put back", link.Attrs().Name, n, what)
}

// linkField is something of a link, as it should be and as it is.
type linkField struct{ name, want, found string }

// sameLink is a *lab.Mismatch for the first field that is not as it should be.
func sameLink(link string, fields ...linkField) error {
	for _, f := range fields {
		if f.found != f.want {
			return &lab.Mismatch{Object: "link " + link, Field: f.name, Want: f.want, Found: f.found}
		}
	}
	return nil
}

// freshLinks tells whether the links that an op makes are where and as it makes
// them, with nothing done to them since.
func freshLinks(k *kernel.Kernel, o lab.Maker) (bool, error) {
	err := o.Verify(k)
	var differs *lab.Mismatch
	if errors.As(err, &differs) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, made := range o.Makes() {
		n, link, err := undoLink(k, made.NS, made.Name)
		if errors.Is(err, lab.ErrGone) { // a peer was moved away
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if as, err := untouched(n, link); err != nil || !as {
			return false, err
		}
	}
	return true, nil
}
