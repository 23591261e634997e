package cause

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// device is a link where it is.
type device struct {
	*netlink.LinkAttrs
	kind string // "veth" and the like
	n    *kernel.Namespace
}

func (d device) there() bool { return d.LinkAttrs != nil }

// flag asks for an interface flag (netdevice(7)).
func (d device) flag(f uint32) bool { return d.RawFlags&f != 0 }

// deviceOf returns a device that is not there for a name that nothing bears.
func deviceOf(n *kernel.Namespace, name string) (device, error) {
	link, err := n.Link(name)
	if errors.Is(err, fs.ErrNotExist) {
		return device{}, nil
	}
	if err != nil {
		return device{}, err
	}
	return device{link.Attrs(), link.Type(), n}, nil
}

// address is one of a device's.
type address struct {
	netip.Prefix
	index int // the device's
}

// addressesOf lists a namespace's IPv4 addresses.
func addressesOf(n *kernel.Namespace) ([]address, error) {
	all, err := kernel.Dump(func() ([]netlink.Addr, error) { return n.Netlink.AddrList(nil, unix.AF_INET) })
	if err != nil {
		return nil, fmt.Errorf("list addresses of %s: %w", n, err)
	}
	var found []address
	for _, a := range all {
		bits, _ := a.Mask.Size()
		if addr := kernel.Addr(a.IP); addr.IsValid() {
			found = append(found, address{netip.PrefixFrom(addr, bits), a.LinkIndex})
		}
	}
	return found, nil
}

// having is the one of the addresses that is addr.
func having(all []address, addr netip.Addr) (address, bool) {
	for _, a := range all {
		if addr.IsValid() && a.Addr() == addr {
			return a, true
		}
	}
	return address{}, false
}

// nameOf is the name of a device, for people where it has gone meanwhile.
func nameOf(n *kernel.Namespace, index int) (string, error) {
	link, err := n.LinkAt(index)
	switch {
	case errors.Is(err, fs.ErrNotExist): // gone since
		return fmt.Sprintf("if%d", index), nil
	case err != nil:
		return "", fmt.Errorf("look for device %d in %s: %w", index, n, err)
	}
	return link.Attrs().Name, nil
}

func (f *finder) hostNumber(key string) (int, error) { return number(f.host, key) }

// number reads a sysctl that is a number.
func number(n *kernel.Namespace, key string) (int, error) {
	value, err := n.Sysctl(key)
	if err != nil {
		return 0, err
	}
	var i int
	if _, err := fmt.Sscan(value, &i); err != nil {
		return 0, fmt.Errorf("sysctl %s in %s is %q: %w", key, n, value, err)
	}
	return i, nil
}
