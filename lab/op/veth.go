package op

import (
	"fmt"
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
	// Queues is how many queues both ends have, for each direction; 0: not named, so
	// as many as the kernel gives, one for each CPU. With one each the making waits
	// for RCU twice less (facts.md, section 9).
	Queues int `json:"queues,omitempty"`
}

func (VethAdd) Kind() string { return "veth-add" }

func (o VethAdd) Command() lab.Command {
	c := lab.IP(o.NS, "link", "add", o.Name)
	if o.MAC != "" {
		c = append(c, "address", o.MAC)
	}
	c = append(c, o.queueWords()...)
	c = append(c, "type", "veth", "peer", "name", o.Peer)
	if o.PeerNS != "" {
		c = append(c, "netns", o.PeerNS)
	}
	return append(c, o.queueWords()...)
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
	attrs.NumTxQueues, attrs.NumRxQueues = o.Queues, o.Queues // of the peer, too
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
