package ring

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Dump reads all links, addresses and IPv4 routes of the calling process's
// namespace and of those at the paths: what reading a lab's state back costs at least.
func Dump(namespaces []string) error {
	return onThread(func() error {
		if err := dump(); err != nil {
			return err
		}
		for _, path := range namespaces {
			if err := enter(path); err != nil {
				return err
			}
			if err := dump(); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		return nil
	})
}

func dump() error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer h.Close()
	_, links := h.LinkList()
	_, addrs := h.AddrList(nil, unix.AF_INET)
	_, routes := h.RouteList(nil, unix.AF_INET)
	return errors.Join(links, addrs, routes)
}
