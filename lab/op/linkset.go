package op

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// LinkSetNetns moves a link to another namespace. The kernel waits for an RCU
// grace period, 14 to 18 ms (facts.md, section 9), and resets the link's
// addresses, flags and per-device sysctls. The latter are not put back.
type LinkSetNetns struct {
	NS   string `json:"ns,omitempty"`
	Name string `json:"name"`
	To   string `json:"to,omitempty"` // empty: back to the host's
}

func (LinkSetNetns) Kind() string { return "link-set-netns" }

func (o LinkSetNetns) Command() lab.Command {
	to := o.To
	if to == kernel.Host {
		to = "1" // the namespace of pid 1
	}
	return lab.IP(o.NS, "link", "set", o.Name, "netns", to)
}

func (o LinkSetNetns) Undo() []lab.Op {
	return []lab.Op{LinkSetNetns{NS: o.To, Name: o.Name, To: o.NS}}
}

// Inverse moves the link back and gives it again what the move takes off it.
func (o LinkSetNetns) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	n, link, err := undoLink(k, o.NS, o.Name)
	if err != nil || o.To == o.NS {
		return nil, err
	}
	to, err := k.Namespace(o.To)
	if err != nil {
		return nil, err
	}
	if err := linkVacant(k, to, o.Name); err != nil {
		return nil, err
	}
	if link.Attrs().MasterIndex != 0 {
		return nil, cantPutBack(n, link, "bridge")
	}
	addrs, err := addrsBack(o.NS, n, link)
	if err != nil {
		return nil, err
	}
	routes, err := routesBack(o.NS, n, link)
	if err != nil {
		return nil, err
	}
	undo := append(o.Undo(), addrs...)
	if isUp(link) {
		undo = append(undo, LinkSetUp{NS: o.NS, Name: o.Name})
	}
	return append(undo, routes...), nil
}

func (o LinkSetNetns) Makes() []lab.Ref {
	return []lab.Ref{{Kind: lab.RefLink, NS: o.To, Name: o.Name}}
}

func (o LinkSetNetns) Within() []lab.Ref {
	return append(netnsRef(o.To), linkRefs(o.NS, o.Name)...)
}

func (o LinkSetNetns) Apply(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Name)
	if err != nil {
		return err
	}
	to, err := undoNamespace(k, o.To)
	if err != nil {
		return err
	}
	if err := n.Change(func(h *netlink.Handle) error { return h.LinkSetNsFd(link, to.Fd()) }); err != nil {
		return fmt.Errorf("move link %s to %s: %w", o.Name, to, err)
	}
	return nil
}

func (o LinkSetNetns) Verify(k *kernel.Kernel) error {
	_, _, err := foundLink(k, o.To, o.Name)
	return err
}

// Fresh: the link is there, as a move leaves it.
func (o LinkSetNetns) Fresh(k *kernel.Kernel) (bool, error) {
	n, link, err := undoLink(k, o.To, o.Name)
	if errors.Is(err, lab.ErrGone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return untouched(n, link)
}

// LinkSetUp sets a link up, or down.
type LinkSetUp struct {
	NS   string `json:"ns,omitempty"`
	Name string `json:"name"`
	Down bool   `json:"down,omitempty"`
}

func (LinkSetUp) Kind() string { return "link-set-up" }

func (o LinkSetUp) Command() lab.Command { return lab.IP(o.NS, "link", "set", o.Name, upDown(!o.Down)) }

func (o LinkSetUp) Undo() []lab.Op {
	return []lab.Op{LinkSetUp{NS: o.NS, Name: o.Name, Down: !o.Down}}
}

func (o LinkSetUp) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	n, link, err := undoLink(k, o.NS, o.Name)
	if err != nil {
		return nil, err
	}
	if isUp(link) == !o.Down {
		return nil, nil // it is so already, and stays so
	}
	if o.Down {
		routes, err := routesBack(o.NS, n, link)
		return append(o.Undo(), routes...), err
	}
	if link.Attrs().RawFlags&unix.IFF_LOOPBACK == 0 {
		return o.Undo(), nil
	}
	// The kernel gives a loopback device 127.0.0.1/8 when it is set up, and leaves
	// it when it is set down (inetdev_event).
	own := netip.MustParsePrefix("127.0.0.1/8")
	found, err := findAddr(n, link, own)
	if err != nil || found != nil {
		return o.Undo(), err
	}
	return append(o.Undo(), AddrDel{NS: o.NS, Link: o.Name, Addr: own}), nil
}

func (o LinkSetUp) Within() []lab.Ref { return linkRefs(o.NS, o.Name) }

// Alters: see lab.Gatherer.
func (o LinkSetUp) Alters() (kernel.Reading, []string) {
	return kernel.ReadLinks | kernel.ReadRoutes, []string{o.NS}
}

func (o LinkSetUp) Apply(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Name)
	if err != nil {
		return err
	}
	err = n.Change(func(h *netlink.Handle) error {
		if o.Down {
			return h.LinkSetDown(link)
		}
		return h.LinkSetUp(link)
	})
	if err != nil {
		return fmt.Errorf("set link %s in %s %s: %w", o.Name, n, upDown(!o.Down), err)
	}
	return nil
}

func (o LinkSetUp) Verify(k *kernel.Kernel) error {
	_, link, err := foundLink(k, o.NS, o.Name)
	if err != nil {
		return err
	}
	if isUp(link) == o.Down {
		return &lab.Mismatch{Object: "link " + o.Name, Field: "state", Want: upDown(!o.Down), Found: upDown(o.Down)}
	}
	return nil
}

func upDown(up bool) string {
	if up {
		return "up"
	}
	return "down"
}
