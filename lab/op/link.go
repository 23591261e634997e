package op

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

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

// linkVacant returns nil if no link has the name, nor has it as an altname. A veth
// goes by itself a little after its other end's namespace (20 ms, facts.md, section
// 4), so one whose other end is elsewhere is given the time to.
func linkVacant(k *kernel.Kernel, n *kernel.Namespace, name string) error {
	const patience = 500 * time.Millisecond
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		link, err := n.Link(name)
		elsewhere := err == nil && link.Type() == "veth" && link.Attrs().NetNsID >= 0
		if !elsewhere || time.Now().After(deadline) {
			return vacant(err, "link "+name+" in "+n.String())
		}
		k.Forgo(kernel.ReadLinks)
	}
}
