package probe

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// forgetOnHost removes what the host has learned of the pods, which would fill the table
// that all share. A thread of the host's opens a netlink socket.
func forgetOnHost(k *kernel.Kernel, members []*ringMember) (err error) {
	host, err := k.Namespace(kernel.Host)
	if err != nil {
		return err
	}
	known, err := kernel.Dump(func() ([]netlink.Neigh, error) { return host.Netlink.NeighList(0, netlink.FAMILY_V4) })
	if err != nil {
		return fmt.Errorf("list the host's neighbours: %w", err)
	}
	pods := map[netip.Addr]bool{}
	for _, m := range members {
		pods[m.pod.Addr], pods[m.echo.dst] = true, true
	}
	var learned []netlink.Neigh
	for _, e := range known {
		if pods[kernel.Addr(e.IP)] && e.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) == 0 {
			learned = append(learned, e)
		}
	}
	fd := -1
	err = host.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return fmt.Errorf("open a netlink socket: %w", err)
	}
	defer unix.Close(fd)
	return forgetAll(fd, make([]byte, 1<<15), learned)
}
