package trace

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// What a trace reads of a namespace, it reads here. That something is not there is an
// answer. What could not be read is none, and whoever goes on without it would tell of
// what netlab did not see: so the scene keeps the first such error, and Run returns it
// in place of a journey.

// keep keeps the error of a reader, if it is one, and returns it.
func (s *scene) keep(err error) error {
	if err != nil && s.unread == nil {
		s.unread = err
	}
	return err
}

// tentatively tells whether all could be read that a look needed. What could not be is
// forgotten: whoever needs it reads it again.
func (s *scene) tentatively(look func()) (all bool) {
	was := s.unread
	s.unread = nil
	look()
	all = s.unread == nil
	s.unread = was
	return all
}

// unread keeps the error of a reader of the namespace, in words.
func (sp *space) unread(what string, err error) error {
	if err == nil {
		return nil
	}
	return sp.scene.keep(fmt.Errorf("%s in %s: %w", what, sp.n, err))
}

// routesTo looks up the route to dst. refused is how the kernel says that there is no way.
func (sp *space) routesTo(dst netip.Addr, o *netlink.RouteGetOptions) (routes []netlink.Route, refused syscall.Errno, err error) {
	routes, err = sp.n.Netlink.RouteGetWithOptions(dst.AsSlice(), o)
	if errno, ok := kernel.RouteRefused(err); ok {
		return nil, errno, nil
	}
	if o != nil && o.IifIndex != 0 && errors.Is(err, unix.ENODEV) { // gone since
		return nil, unix.ENODEV, nil
	}
	if err == nil && len(routes) == 0 {
		err = errors.New("no answer")
	}
	return routes, 0, sp.unread("look up the route to "+dst.String(), err)
}

// link is nil for one that is not there.
func (sp *space) link(index int) (netlink.Link, error) {
	link, err := sp.n.LinkAt(index)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return link, sp.unread(fmt.Sprintf("look for device %d", index), err)
}

// linkNamed wraps fs.ErrNotExist for one that is not there.
func (sp *space) linkNamed(name string) (netlink.Link, error) {
	link, err := sp.n.Link(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = sp.scene.keep(err)
	}
	return link, err
}

func (sp *space) links() ([]netlink.Link, error) {
	links, err := kernel.Dump(sp.n.Netlink.LinkList)
	return links, sp.unread("list the devices", err)
}

// addrs are those of a device, or of all where it is nil.
func (sp *space) addrs(d *device) ([]netlink.Addr, error) {
	addrs, err := kernel.Dump(func() ([]netlink.Addr, error) {
		if d == nil {
			return sp.n.Netlink.AddrList(nil, unix.AF_INET)
		}
		return sp.n.Netlink.AddrList(&netlink.Device{LinkAttrs: *d.LinkAttrs}, unix.AF_INET)
	})
	return addrs, sp.unread("list the addresses", err)
}

// routes are those of all tables that the filter's fields, as the mask says, fit.
func (sp *space) routes(filter netlink.Route, mask uint64) ([]netlink.Route, error) {
	routes, err := kernel.Dump(func() ([]netlink.Route, error) {
		return sp.n.Netlink.RouteListFiltered(unix.AF_INET, &filter, mask)
	})
	return routes, sp.unread("list the routes", err)
}

// rules are none where the kernel has no policy routing (CONFIG_IP_MULTIPLE_TABLES).
func (sp *space) rules() ([]netlink.Rule, error) {
	rules, err := kernel.Dump(func() ([]netlink.Rule, error) { return sp.n.Netlink.RuleList(unix.AF_INET) })
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil, nil
	}
	return rules, sp.unread("list the rules of ip rule", err)
}

// neighbours are the entries of a family: IPv4's of a device, or all bridges' of what
// MAC is behind which port.
func (sp *space) neighbours(index, family int) ([]netlink.Neigh, error) {
	entries, err := kernel.Dump(func() ([]netlink.Neigh, error) { return sp.n.Netlink.NeighList(index, family) })
	return entries, sp.unread("list the neighbours", err)
}

// isolated tells whether a bridge's port is; what is no port is not.
func (d *device) isolated() (bool, error) {
	info, err := kernel.Dump(func() ([]netlink.Protinfo, error) {
		info, err := d.space.n.Netlink.LinkGetProtinfo(&netlink.Device{LinkAttrs: *d.LinkAttrs})
		return []netlink.Protinfo{info}, err
	})
	var errno syscall.Errno
	if errors.As(err, &errno) || errors.Is(err, netlink.ErrDumpInterrupted) {
		return false, d.space.unread("ask the bridge about "+d.Name, err)
	}
	return err == nil && info[0].Isolated, nil // the library's own error: no port
}

// sysctl wraps fs.ErrNotExist for one that is not there.
func (sp *space) sysctl(key string) (string, error) {
	value, err := sp.n.Sysctl(key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = sp.scene.keep(err)
	}
	return value, err
}

// across is the namespace at the other end of a cable; nil: none that has a name or a
// process, or that this process may enter.
func (sp *space) across(id int) (*kernel.Namespace, error) {
	n, err := sp.scene.kernel.Across(sp.n, id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return n, sp.scene.keep(err)
}
