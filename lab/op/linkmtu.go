package op

import (
	"fmt"
	"strconv"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

// LinkSetMTU sets the size of the largest packet that a link takes, in bytes,
// without its Ethernet header. A veth drops a frame that is larger than its
// receiving end's, and says nothing (is_skb_forwardable, net/core/dev.c); a bridge
// follows the smallest of its ports until it is given an MTU itself.
type LinkSetMTU struct {
	NS   string `json:"ns,omitempty"`
	Name string `json:"name"`
	MTU  int    `json:"mtu"`
	// Left is, in an undo, the MTU that the lab left; 0: any.
	Left int `json:"left,omitempty"`
}

func (LinkSetMTU) Kind() string { return "link-set-mtu" }

func (o LinkSetMTU) Command() lab.Command {
	return lab.IP(o.NS, "link", "set", o.Name, "mtu", strconv.Itoa(o.MTU))
}

// Undo can't know what was there before; see Inverse.
func (o LinkSetMTU) Undo() []lab.Op    { return nil }
func (o LinkSetMTU) Within() []lab.Ref { return linkRefs(o.NS, o.Name) }

func (o LinkSetMTU) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	_, link, err := undoLink(k, o.NS, o.Name)
	if err != nil {
		return nil, err
	}
	was := link.Attrs().MTU
	if was == o.MTU {
		return nil, nil
	}
	return []lab.Op{LinkSetMTU{NS: o.NS, Name: o.Name, MTU: was, Left: o.MTU}}, nil
}

func (o LinkSetMTU) Apply(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Name)
	if err != nil {
		return err
	}
	if now := link.Attrs().MTU; o.Left != 0 && now != o.Left && now != o.MTU {
		return fmt.Errorf("link %s in %s has mtu %d, the lab left %d: %w", o.Name, n, now, o.Left, lab.ErrChanged)
	}
	if err := n.Change(func(h *netlink.Handle) error { return h.LinkSetMTU(link, o.MTU) }); err != nil {
		return fmt.Errorf("set the mtu of link %s in %s: %w", o.Name, n, err)
	}
	return nil
}

func (o LinkSetMTU) Verify(k *kernel.Kernel) error {
	_, link, err := foundLink(k, o.NS, o.Name)
	if err != nil {
		return err
	}
	if found := link.Attrs().MTU; found != o.MTU {
		return &lab.Mismatch{Object: "link " + o.Name, Field: "mtu", Want: strconv.Itoa(o.MTU), Found: strconv.Itoa(found)}
	}
	return nil
}
