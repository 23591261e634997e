package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Peer is a link's other end, in this namespace or any other. One that is gone
// is an error that wraps fs.ErrNotExist.
func (n *Namespace) Peer(link netlink.Link) (netlink.Link, error) {
	attrs := link.Attrs()
	gone := fmt.Errorf("no peer of link %q in %s: %w", attrs.Name, n, fs.ErrNotExist)
	var peer netlink.Link
	var err error
	switch {
	case attrs.ParentIndex == 0 || attrs.NetNsID == math.MaxUint32: // the kernel's -1: its namespace is ending
		return nil, gone
	case attrs.NetNsID < 0: // not told: the same one
		peer, err = n.Netlink.LinkByIndex(attrs.ParentIndex)
	default:
		err = n.Do(func() (err error) { // the request opens its own socket
			peer, err = linkAcross(attrs.NetNsID, attrs.ParentIndex)
			return err
		})
		if errors.Is(err, unix.EINVAL) { // the number leads nowhere any more
			return nil, gone
		}
	}
	var none netlink.LinkNotFoundError
	if errors.As(err, &none) || errors.Is(err, unix.ENODEV) {
		return nil, gone
	}
	if err != nil {
		return nil, fmt.Errorf("look for the peer of link %q in %s: %w", attrs.Name, n, err)
	}
	return peer, nil
}

// linkAcross reads a link of the namespace that the thread's own one knows by
// that number, without its having a name (IFLA_TARGET_NETNSID, Linux 4.20).
func linkAcross(netnsID, index int) (netlink.Link, error) {
	req := nl.NewNetlinkRequest(unix.RTM_GETLINK, unix.NLM_F_ACK)
	msg := nl.NewIfInfomsg(unix.AF_UNSPEC)
	msg.Index = int32(index)
	req.AddData(msg)
	req.AddData(nl.NewRtAttr(unix.IFLA_TARGET_NETNSID, nl.Uint32Attr(uint32(netnsID))))
	answer, err := req.Execute(unix.NETLINK_ROUTE, 0)
	if err != nil {
		return nil, err
	}
	if len(answer) != 1 {
		return nil, unix.ENODEV
	}
	return netlink.LinkDeserialize(nil, answer[0])
}
