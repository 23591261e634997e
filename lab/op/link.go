package op

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// VethAdd makes a veth pair, both ends in one namespace.
type VethAdd struct {
	NS   string `json:"ns,omitempty"`
	Name string `json:"name"`
	Peer string `json:"peer"`
}

func (VethAdd) Kind() string { return "veth-add" }

func (o VethAdd) Command() lab.Command {
	return lab.IP(o.NS, "link", "add", o.Name, "type", "veth", "peer", "name", o.Peer)
}

// Undo deletes one end; the other goes with it, wherever it is by then.
func (o VethAdd) Undo() []lab.Op { return []lab.Op{LinkDel{NS: o.NS, Name: o.Name}} }

func (o VethAdd) Makes() []lab.Ref {
	return []lab.Ref{
		{Kind: lab.RefLink, NS: o.NS, Name: o.Name},
		{Kind: lab.RefLink, NS: o.NS, Name: o.Peer},
	}
}

func (o VethAdd) Within() []lab.Ref { return netnsRef(o.NS) }

func (o VethAdd) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	n, err := k.Namespace(o.NS)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{o.Name, o.Peer} {
		_, err := n.Link(name)
		if err == nil {
			return nil, fmt.Errorf("link %s in %s: %w", name, n, lab.ErrTaken)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return o.Undo(), nil
}

func (o VethAdd) Apply(k *kernel.Kernel) error {
	n, err := k.Namespace(o.NS)
	if err != nil {
		return err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = o.Name
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: o.Peer, PeerTxQLen: -1}
	if err := n.Change(func(h *netlink.Handle) error { return h.LinkAdd(veth) }); err != nil {
		return fmt.Errorf("add veth pair %s and %s in %s: %w", o.Name, o.Peer, n, err)
	}
	return nil
}

func (o VethAdd) Verify(k *kernel.Kernel) error {
	n, err := k.Namespace(o.NS)
	if err != nil {
		return err
	}
	link, err := foundLink(n, o.Name)
	if err != nil {
		return err
	}
	if link.Type() != "veth" {
		return &lab.Mismatch{Object: "link " + o.Name, Field: "type", Want: "veth", Found: link.Type()}
	}
	// The peer may have been moved since, and keeps its ifindex when it moves.
	if link.Attrs().ParentIndex == 0 {
		return &lab.Mismatch{Object: "link " + o.Name, Field: "peer", Want: o.Peer, Found: "none"}
	}
	if link.Attrs().NetNsID >= 0 { // the peer is in another namespace
		return nil
	}
	peer, err := n.Netlink.LinkByIndex(link.Attrs().ParentIndex)
	if err != nil {
		return fmt.Errorf("read the peer of %s in %s: %w", o.Name, n, err)
	}
	if peer.Attrs().Name != o.Peer {
		return &lab.Mismatch{Object: "link " + o.Name, Field: "peer", Want: o.Peer, Found: peer.Attrs().Name}
	}
	return nil
}

// Fresh: both ends are there, still down, side by side.
func (o VethAdd) Fresh(k *kernel.Kernel) (bool, error) {
	err := o.Verify(k)
	var differs *lab.Mismatch
	if errors.As(err, &differs) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	n, err := k.Namespace(o.NS)
	if err != nil {
		return false, err
	}
	link, err := n.Link(o.Name)
	if err != nil {
		return false, err
	}
	return link.Attrs().NetNsID < 0 && link.Attrs().RawFlags&unix.IFF_UP == 0, nil
}

// LinkDel deletes a link; for a veth, its peer too.
type LinkDel struct {
	NS   string `json:"ns,omitempty"`
	Name string `json:"name"`
}

func (LinkDel) Kind() string                               { return "link-del" }
func (o LinkDel) Command() lab.Command                     { return lab.IP(o.NS, "link", "del", o.Name) }
func (o LinkDel) Undo() []lab.Op                           { return nil }
func (o LinkDel) Inverse(*kernel.Kernel) ([]lab.Op, error) { return nil, nil }
func (o LinkDel) Within() []lab.Ref                        { return linkRefs(o.NS, o.Name) }

// Renamed is the same deletion of the same link under the name it has now.
func (o LinkDel) Renamed(name string) lab.Op { return LinkDel{NS: o.NS, Name: name} }

func (o LinkDel) Apply(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Name)
	if err != nil {
		return err
	}
	err = n.Change(func(h *netlink.Handle) error { return h.LinkDel(link) })
	if errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("link %s: %w", o.Name, lab.ErrGone)
	}
	if err != nil {
		return fmt.Errorf("delete link %s in %s: %w", o.Name, n, err)
	}
	return nil
}

func (o LinkDel) Verify(k *kernel.Kernel) error {
	_, _, err := undoLink(k, o.NS, o.Name)
	if errors.Is(err, lab.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	return &lab.Mismatch{Object: "link " + o.Name, Field: "name", Want: "gone", Found: "there"}
}

func netnsRef(ns string) []lab.Ref {
	if ns == kernel.Host {
		return nil
	}
	return []lab.Ref{{Kind: lab.RefNetns, Name: ns}}
}

func linkRefs(ns, name string) []lab.Ref {
	return append(netnsRef(ns), lab.Ref{Kind: lab.RefLink, NS: ns, Name: name})
}

// foundLink is a link that an op has made: its absence is a mismatch.
func foundLink(n *kernel.Namespace, name string) (netlink.Link, error) {
	link, err := n.Link(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &lab.Mismatch{Object: "link " + name, Field: "name", Want: "in " + n.String(), Found: "missing", Err: err}
	}
	return link, err
}

// undoLink is a link that an undo is about: its absence is ErrGone.
func undoLink(k *kernel.Kernel, ns, name string) (*kernel.Namespace, netlink.Link, error) {
	n, err := k.Namespace(ns)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("network namespace %s: %w", ns, lab.ErrGone)
	}
	if err != nil {
		return nil, nil, err
	}
	link, err := n.Link(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("link %s: %w", name, lab.ErrGone)
	}
	return n, link, err
}
