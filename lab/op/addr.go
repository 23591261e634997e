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

// AddrAdd gives a link an IPv4 address.
type AddrAdd struct {
	NS   string       `json:"ns,omitempty"`
	Link string       `json:"link"`
	Addr netip.Prefix `json:"addr"`
	// Scope is "global", "link" or "host"; empty: not named in the command, so host
	// for an address of 127.0.0.0/8 and global for any other, as iproute2 fills it in.
	Scope string `json:"scope,omitempty"`
	// Broadcast is the subnet's broadcast address; the zero value: none, as
	// `ip addr add` leaves it where none is named.
	Broadcast netip.Addr `json:"broadcast,omitzero"`
	// NoPrefixRoute: the kernel adds no route to the address's subnet.
	NoPrefixRoute bool `json:"noprefixroute,omitempty"`
}

func (AddrAdd) Kind() string { return "addr-add" }

func (o AddrAdd) Command() lab.Command {
	c := lab.IP(o.NS, "addr", "add", o.Addr.String())
	if o.Broadcast.IsValid() {
		c = append(c, "broadcast", o.Broadcast.String())
	}
	c = append(c, "dev", o.Link)
	if o.Scope != "" {
		c = append(c, "scope", o.Scope)
	}
	if o.NoPrefixRoute {
		c = append(c, "noprefixroute")
	}
	return c
}

func (o AddrAdd) Undo() []lab.Op    { return []lab.Op{AddrDel(o)} }
func (o AddrAdd) Within() []lab.Ref { return linkRefs(o.NS, o.Link) }

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

// netlinkAddr is what `ip addr add` asks for: no broadcast address but a named one;
// the library would add one (facts.md, section 8). The library changes it, so it serves
// once.
func (o AddrAdd) netlinkAddr() (*netlink.Addr, error) {
	if !o.Addr.Addr().Is4() {
		return nil, fmt.Errorf("%s is no IPv4 address with its prefix length", o.Addr)
	}
	scopes := map[string]netlink.Scope{
		"global": netlink.SCOPE_UNIVERSE, "link": netlink.SCOPE_LINK, "host": netlink.SCOPE_HOST,
	}
	scope, known := scopes[o.Scope]
	switch {
	case o.Scope == "" && o.Addr.Addr().IsLoopback():
		scope = netlink.SCOPE_HOST
	case o.Scope != "" && !known:
		return nil, fmt.Errorf("unknown scope of an address %q", o.Scope)
	}
	a := &netlink.Addr{
		IPNet:     &net.IPNet{IP: o.Addr.Addr().AsSlice(), Mask: net.CIDRMask(o.Addr.Bits(), 32)},
		Broadcast: net.IPv4zero.To4(),
		Scope:     int(scope),
	}
	if o.Broadcast.IsValid() {
		a.Broadcast = o.Broadcast.AsSlice()
	}
	if o.NoPrefixRoute {
		a.Flags = unix.IFA_F_NOPREFIXROUTE
	}
	return a, nil
}

// Alters: see lab.Gatherer.
func (o AddrAdd) Alters() (kernel.Reading, []string) {
	return kernel.ReadAddrs | kernel.ReadRoutes, []string{o.NS}
}

func (o AddrAdd) Apply(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Link)
	if err != nil {
		return err
	}
	err = n.Change(func(h *netlink.Handle) error {
		addr, err := o.netlinkAddr()
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
		if kernel.Prefix(a.IPNet).Addr() == o.Addr.Addr() {
			others = append(others, describeAddr(a))
		}
	}
	if others == nil {
		others = []string{"missing"}
	}
	return &lab.Mismatch{
		Object: "link " + o.Link, Field: "address", Want: o.describe(), Found: strings.Join(others, " and "),
	}
}

// Address is for lab.Addresser.
func (o AddrAdd) Address() (ns, link, addr string) { return o.NS, o.Link, o.describe() }
