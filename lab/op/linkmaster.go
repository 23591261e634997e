package op

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

// LinkSetMaster makes a link a port of a bridge, or of none. A bridge that loses
// its last port is left with the address 00:00:00:00:00:00 until it gets another
// (br_stp_recalculate_bridge_id, net/bridge/br_stp_if.c), and the settings of a
// port go with it: a link that is a port already is not moved to another bridge.
type LinkSetMaster struct {
	NS     string `json:"ns,omitempty"`
	Name   string `json:"name"`
	Master string `json:"master,omitempty"` // empty: none
}

func (LinkSetMaster) Kind() string { return "link-set-master" }

func (o LinkSetMaster) Command() lab.Command {
	if o.Master == "" {
		return lab.IP(o.NS, "link", "set", o.Name, "nomaster")
	}
	return lab.IP(o.NS, "link", "set", o.Name, "master", o.Master)
}

func (o LinkSetMaster) Undo() []lab.Op {
	if o.Master == "" {
		return nil
	}
	return []lab.Op{LinkSetMaster{NS: o.NS, Name: o.Name}}
}

func (o LinkSetMaster) Within() []lab.Ref {
	refs := linkRefs(o.NS, o.Name)
	if o.Master != "" {
		refs = append(refs, lab.Ref{Kind: lab.RefLink, NS: o.NS, Name: o.Master})
	}
	return refs
}

// Inverse puts back a port that is taken out, but with a new port's settings.
func (o LinkSetMaster) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	n, link, err := undoLink(k, o.NS, o.Name)
	if err != nil {
		return nil, err
	}
	was, err := masterOf(n, link)
	if err != nil {
		return nil, err
	}
	switch {
	case was == o.Master:
		return nil, nil // it is so already, and stays so
	case o.Master == "":
		return []lab.Op{LinkSetMaster{NS: o.NS, Name: o.Name, Master: was}}, nil
	case was != "":
		return nil, fmt.Errorf("link %s in %s is a port of %s: %w", o.Name, n, was, lab.ErrTaken)
	}
	return o.Undo(), nil
}

// masterOf is empty for a link that is no port.
func masterOf(n *kernel.Namespace, link netlink.Link) (string, error) {
	index := link.Attrs().MasterIndex
	if index == 0 {
		return "", nil
	}
	master, err := n.LinkAt(index)
	if err != nil {
		return "", fmt.Errorf("look for the bridge of %s in %s: %w", link.Attrs().Name, n, err)
	}
	return master.Attrs().Name, nil
}

// Alters: see lab.Gatherer.
func (o LinkSetMaster) Alters() (kernel.Reading, []string) {
	return kernel.ReadLinks, []string{o.NS}
}

func (o LinkSetMaster) Apply(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Name)
	if err != nil {
		return err
	}
	index := 0
	if o.Master != "" {
		master, err := n.Link(o.Master)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("link %s in %s: %w", o.Master, n, lab.ErrGone)
		}
		if err != nil {
			return err
		}
		index = master.Attrs().Index
	}
	err = n.Change(func(h *netlink.Handle) error { return h.LinkSetMasterByIndex(link, index) })
	if err != nil {
		return fmt.Errorf("set the master of link %s in %s to %s: %w", o.Name, n, masterName(o.Master), err)
	}
	return nil
}

func (o LinkSetMaster) Verify(k *kernel.Kernel) error {
	n, link, err := foundLink(k, o.NS, o.Name)
	if err != nil {
		return err
	}
	found, err := masterOf(n, link)
	if err != nil {
		return err
	}
	if found != o.Master {
		return &lab.Mismatch{Object: "link " + o.Name, Field: "master", Want: masterName(o.Master), Found: masterName(found)}
	}
	return nil
}

func masterName(name string) string {
	if name == "" {
		return "none"
	}
	return name
}
