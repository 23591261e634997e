package op

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

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
	if err := o.verifyQueues(link); err != nil {
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
	if peer == nil {
		return sameLink(o.Name, linkField{"peer", o.Peer, "none"})
	}
	if err := sameLink(o.Name, linkField{"peer", o.Peer, peer.Attrs().Name}); err != nil {
		return err
	}
	return o.verifyQueues(peer)
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
	return o.verifyQueues(peer)
}

// peer is the link's other end; nil: none.
func (o VethAdd) peer(n *kernel.Namespace, link netlink.Link) (netlink.Link, error) {
	if link.Attrs().ParentIndex == 0 {
		return nil, nil
	}
	peer, err := n.Peer(link)
	if errors.Is(err, fs.ErrNotExist) { // on its way out, and the link with it
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the peer of %s in %s: %w", o.Name, n, err)
	}
	return peer, nil
}

// Fresh: both ends are where they were born, and nothing was done to them.
func (o VethAdd) Fresh(k *kernel.Kernel) (bool, error) { return freshLinks(k, o) }
