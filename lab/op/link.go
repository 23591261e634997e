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
		if err := linkVacant(n, name); err != nil {
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

// Verify finds the peer wherever it was moved since.
func (o VethAdd) Verify(k *kernel.Kernel) error {
	n, link, err := foundLink(k, o.NS, o.Name)
	if err != nil {
		return err
	}
	peer, err := o.peer(n, link)
	if err != nil {
		return err
	}
	for _, field := range []struct{ name, want, found string }{
		{"name", o.Name, link.Attrs().Name}, // it was found by an altname of its own
		{"type", "veth", link.Type()},
		{"peer", o.Peer, peer},
	} {
		if field.found != field.want {
			return &lab.Mismatch{Object: "link " + o.Name, Field: field.name, Want: field.want, Found: field.found}
		}
	}
	return nil
}

// peer is the name of the link's other end.
func (o VethAdd) peer(n *kernel.Namespace, link netlink.Link) (string, error) {
	attrs := link.Attrs()
	if attrs.ParentIndex == 0 {
		return "none", nil
	}
	peer, err := n.Peer(link)
	if errors.Is(err, fs.ErrNotExist) { // on its way out, and the link with it
		return "none", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the peer of %s in %s: %w", o.Name, n, err)
	}
	return peer.Attrs().Name, nil
}

// Fresh: both ends are there, side by side, and nothing was done to them.
func (o VethAdd) Fresh(k *kernel.Kernel) (bool, error) {
	err := o.Verify(k)
	var differs *lab.Mismatch
	if errors.As(err, &differs) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, name := range []string{o.Name, o.Peer} {
		n, link, err := undoLink(k, o.NS, name)
		if errors.Is(err, lab.ErrGone) { // the peer was moved away
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

// LinkDel deletes a link; for a veth, its peer too.
type LinkDel struct {
	NS   string `json:"ns,omitempty"`
	Name string `json:"name"`
}

func (LinkDel) Kind() string           { return "link-del" }
func (o LinkDel) Command() lab.Command { return lab.IP(o.NS, "link", "del", o.Name) }
func (o LinkDel) Undo() []lab.Op       { return nil }
func (o LinkDel) Within() []lab.Ref    { return linkRefs(o.NS, o.Name) }

// Inverse: there is none, so that nobody deletes a link but as an undo.
func (o LinkDel) Inverse(*kernel.Kernel) ([]lab.Op, error) {
	return nil, fmt.Errorf("a deleted link, %s, can't be put back", o.Name)
}

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

func linkRefs(ns, name string) []lab.Ref {
	return append(netnsRef(ns), lab.Ref{Kind: lab.RefLink, NS: ns, Name: name})
}

// foundLink is a link that an op works on: its absence is a mismatch.
func foundLink(k *kernel.Kernel, ns, name string) (*kernel.Namespace, netlink.Link, error) {
	n, err := foundNamespace(k, ns)
	if err != nil {
		return nil, nil, err
	}
	link, err := n.Link(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, &lab.Mismatch{Object: "link " + name, Field: "name", Want: "in " + n.String(), Found: "missing", Err: err}
	}
	return n, link, err
}

// undoLink is a link that an undo is about: its absence is ErrGone.
func undoLink(k *kernel.Kernel, ns, name string) (*kernel.Namespace, netlink.Link, error) {
	n, err := undoNamespace(k, ns)
	if err != nil {
		return nil, nil, err
	}
	link, err := n.Link(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("link %s in %s: %w", name, n, lab.ErrGone)
	}
	return n, link, err
}

// linkVacant returns nil if no link has the name, nor has it as an altname.
func linkVacant(n *kernel.Namespace, name string) error {
	_, err := n.Link(name)
	return vacant(err, "link "+name+" in "+n.String())
}
