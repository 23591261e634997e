package op

import (
	"errors"
	"fmt"
	"io/fs"
	"net"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

// VethAdd makes a veth pair. Its peer may be born in another namespace, which
// takes no longer than beside it: moving it there takes 14 to 18 ms (facts.md,
// section 9).
type VethAdd struct {
	NS   string `json:"ns,omitempty"`
	Name string `json:"name"`
	Peer string `json:"peer"`
	// PeerNS is the namespace that the peer is born in; empty: NS.
	PeerNS string `json:"peer_ns,omitempty"`
	// MAC is the address of Name; empty: the kernel draws one. udev leaves alone
	// an address that was asked for, and rewrites one that was drawn.
	MAC string `json:"mac,omitempty"`
}

func (VethAdd) Kind() string { return "veth-add" }

func (o VethAdd) Command() lab.Command {
	c := lab.IP(o.NS, "link", "add", o.Name)
	if o.MAC != "" {
		c = append(c, "address", o.MAC)
	}
	c = append(c, "type", "veth", "peer", "name", o.Peer)
	if o.PeerNS != "" {
		c = append(c, "netns", o.PeerNS)
	}
	return c
}

// peerNS is the namespace that the peer is born in.
func (o VethAdd) peerNS() string {
	if o.PeerNS == "" {
		return o.NS
	}
	return o.PeerNS
}

// Undo deletes one end; the other goes with it, wherever it is by then.
func (o VethAdd) Undo() []lab.Op { return []lab.Op{LinkDel{NS: o.NS, Name: o.Name}} }

func (o VethAdd) Makes() []lab.Ref {
	return []lab.Ref{
		{Kind: lab.RefLink, NS: o.NS, Name: o.Name},
		{Kind: lab.RefLink, NS: o.peerNS(), Name: o.Peer},
	}
}

// Bound: the pair goes with its peer's namespace (cleanup_net, net/core/net_namespace.c).
func (o VethAdd) Bound() []lab.Ref {
	if o.PeerNS == o.NS {
		return nil
	}
	return netnsRef(o.PeerNS)
}

func (o VethAdd) Within() []lab.Ref { return append(netnsRef(o.PeerNS), netnsRef(o.NS)...) }

func (o VethAdd) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	for _, end := range o.Makes() {
		n, err := k.Namespace(end.NS)
		if err != nil {
			return nil, err
		}
		if err := linkVacant(k, n, end.Name); err != nil {
			return nil, err
		}
	}
	return o.Undo(), nil
}

// Alters: see lab.Gatherer.
func (o VethAdd) Alters() (kernel.Reading, []string) {
	return kernel.ReadLinks, []string{o.NS, o.peerNS()}
}

func (o VethAdd) Apply(k *kernel.Kernel) error {
	n, err := k.Namespace(o.NS)
	if err != nil {
		return err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = o.Name
	if attrs.HardwareAddr, err = hardwareAddr(o.MAC); err != nil {
		return err
	}
	// As many queues as the kernel gives, one for each CPU, since the command names
	// none. With one each the making waits for RCU twice less (facts.md, section 9).
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: o.Peer, PeerTxQLen: -1}
	if o.PeerNS != "" {
		peerNS, err := k.Namespace(o.PeerNS)
		if err != nil {
			return err
		}
		veth.PeerNamespace = netlink.NsFd(peerNS.Fd())
	}
	if err := n.Change(func(h *netlink.Handle) error { return h.LinkAdd(veth) }); err != nil {
		return fmt.Errorf("add veth pair %s and %s in %s: %w", o.Name, o.Peer, n, err)
	}
	return nil
}

// hardwareAddr is nil for no address.
func hardwareAddr(mac string) (net.HardwareAddr, error) {
	if mac == "" {
		return nil, nil
	}
	addr, err := net.ParseMAC(mac)
	if err != nil || len(addr) != 6 {
		return nil, fmt.Errorf("%q is no Ethernet address", mac)
	}
	return addr, nil
}

// Verify finds the peer wherever it was moved since, unless it was born in a
// namespace of its own: there it must still be.
func (o VethAdd) Verify(k *kernel.Kernel) error {
	n, link, err := foundLink(k, o.NS, o.Name)
	if err != nil {
		return err
	}
	err = sameLink(o.Name,
		linkField{"name", o.Name, link.Attrs().Name}, // it was found by an altname of its own
		linkField{"type", "veth", link.Type()},
	)
	if err != nil {
		return err
	}
	if o.PeerNS == "" {
		err = o.verifyPeer(n, link)
	} else {
		err = o.verifyPeerNS(k, n, link)
	}
	if err != nil || o.MAC == "" {
		return err
	}
	return verifyMAC(link, o.MAC)
}

func (o VethAdd) verifyPeer(n *kernel.Namespace, link netlink.Link) error {
	peer, err := o.peer(n, link)
	if err != nil {
		return err
	}
	return sameLink(o.Name, linkField{"peer", o.Peer, peer})
}

// verifyPeerNS compares what the kernel says of the peer's namespace with what it
// calls the wanted one.
func (o VethAdd) verifyPeerNS(k *kernel.Kernel, n *kernel.Namespace, link netlink.Link) error {
	want, peer, err := foundLink(k, o.PeerNS, o.Peer)
	if errors.Is(err, fs.ErrNotExist) {
		if _, gone := k.Namespace(o.PeerNS); gone != nil { // and the pair goes with it, in the kernel's own time
			return err
		}
		return errors.Join(o.verifyPeer(n, link), err) // it may have another name
	}
	if err != nil {
		return err
	}
	id, err := n.Netlink.GetNetNsIdByFd(want.Fd())
	if err != nil {
		return fmt.Errorf("look for %s from %s: %w", want, n, err)
	}
	if err := sameLink(o.Name, linkField{"peer", o.Peer, peer.Attrs().Name}); err != nil { // it has it for an altname
		return err
	}
	attrs := link.Attrs()
	there := attrs.NetNsID == id
	if o.PeerNS == o.NS {
		there = attrs.NetNsID < 0 // not told: the same one
	}
	if !there || attrs.ParentIndex != peer.Attrs().Index {
		return &lab.Mismatch{Object: "link " + o.Name, Field: "peer", Want: "in " + want.String(), Found: "elsewhere"}
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

// Fresh: both ends are where they were born, and nothing was done to them.
func (o VethAdd) Fresh(k *kernel.Kernel) (bool, error) { return freshLinks(k, o) }
