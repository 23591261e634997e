package probe

import (
	"github.com/vishvananda/netlink"

	"netlab/lab/kernel"
)

// deviceIn is a device with its namespace. The absence of either wraps
// fs.ErrNotExist; see missing.
func deviceIn(k *kernel.Kernel, ns, dev string) (*kernel.Namespace, netlink.Link, error) {
	n, err := k.Namespace(ns)
	if err != nil {
		return nil, nil, err
	}
	link, err := n.Link(dev)
	return n, link, err
}
