package op

import (
	"fmt"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

// BridgeAdd makes a Linux bridge. Its MAC is not its own: it takes the lowest of
// its ports', and changes when they do.
type BridgeAdd struct {
	NS   string `json:"ns,omitempty"`
	Name string `json:"name"`
}

func (BridgeAdd) Kind() string { return "bridge-add" }

func (o BridgeAdd) Command() lab.Command {
	return lab.IP(o.NS, "link", "add", o.Name, "type", "bridge")
}

func (o BridgeAdd) Undo() []lab.Op { return []lab.Op{LinkDel(o)} }

func (o BridgeAdd) Makes() []lab.Ref {
	return []lab.Ref{{Kind: lab.RefLink, NS: o.NS, Name: o.Name}}
}

func (o BridgeAdd) Within() []lab.Ref { return netnsRef(o.NS) }

func (o BridgeAdd) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	n, err := k.Namespace(o.NS)
	if err != nil {
		return nil, err
	}
	if err := linkVacant(k, n, o.Name); err != nil {
		return nil, err
	}
	return o.Undo(), nil
}

func (o BridgeAdd) Apply(k *kernel.Kernel) error {
	n, err := k.Namespace(o.NS)
	if err != nil {
		return err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = o.Name
	bridge := &netlink.Bridge{LinkAttrs: attrs}
	if err := n.Change(func(h *netlink.Handle) error { return h.LinkAdd(bridge) }); err != nil {
		return fmt.Errorf("add bridge %s in %s: %w", o.Name, n, err)
	}
	return nil
}

func (o BridgeAdd) Verify(k *kernel.Kernel) error {
	_, link, err := foundLink(k, o.NS, o.Name)
	if err != nil {
		return err
	}
	return sameLink(o.Name,
		linkField{"name", o.Name, link.Attrs().Name}, // it was found by an altname of its own
		linkField{"type", "bridge", link.Type()},
	)
}

// Fresh: the bridge has no ports, and nothing was done to it.
func (o BridgeAdd) Fresh(k *kernel.Kernel) (bool, error) {
	fresh, err := freshLinks(k, o)
	if err != nil || !fresh {
		return false, err
	}
	n, bridge, err := foundLink(k, o.NS, o.Name)
	if err != nil {
		return false, err
	}
	ports, err := portsOf(n, bridge)
	return len(ports) == 0, err
}

// portsOf lists the links that have this one for a master.
func portsOf(n *kernel.Namespace, bridge netlink.Link) ([]netlink.Link, error) {
	links, err := n.Links()
	if err != nil {
		return nil, fmt.Errorf("list the links in %s: %w", n, err)
	}
	var ports []netlink.Link
	for _, l := range links {
		if l.Attrs().MasterIndex == bridge.Attrs().Index {
			ports = append(ports, l)
		}
	}
	return ports, nil
}
