package op

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// RouteDelAny deletes the main table's route to a destination over a device,
// whatever else it says and whoever made it: what was there before a lab. What
// its inverse puts back is exactly that route.
type RouteDelAny struct {
	NS  string       `json:"ns,omitempty"`
	Dst netip.Prefix `json:"dst"` // 0.0.0.0/0 is the default route
	Dev string       `json:"dev"`
}

func (RouteDelAny) Kind() string { return "route-del-any" }

func (o RouteDelAny) Command() lab.Command {
	return lab.IP(o.NS, "route", "del", iproute.Dst(o.Dst), "dev", o.Dev)
}

// Undo can't know what the route says; see Inverse.
func (o RouteDelAny) Undo() []lab.Op    { return nil }
func (o RouteDelAny) Within() []lab.Ref { return linkRefs(o.NS, o.Dev) }

func (o RouteDelAny) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	n, r, err := o.find(k)
	if err != nil {
		return nil, err
	}
	back, err := routeBack(o.NS, n, r)
	if err != nil {
		return nil, err
	}
	return []lab.Op{back}, nil
}

func (o RouteDelAny) Apply(k *kernel.Kernel) error {
	n, r, err := o.find(k)
	if err != nil {
		return err
	}
	err = n.Change(func(h *netlink.Handle) error { return h.RouteDel(&r) })
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("route to %s in %s: %w", iproute.Dst(o.Dst), n, lab.ErrGone)
	}
	if err != nil {
		return fmt.Errorf("delete the route to %s in %s: %w", iproute.Dst(o.Dst), n, err)
	}
	return nil
}

// find wants one route: of several the command would delete the first, and the
// next would take its place.
func (o RouteDelAny) find(k *kernel.Kernel) (*kernel.Namespace, netlink.Route, error) {
	n, link, err := undoLink(k, o.NS, o.Dev)
	if err != nil {
		return nil, netlink.Route{}, err
	}
	found, err := o.over(n, link)
	if err != nil {
		return nil, netlink.Route{}, err
	}
	object := fmt.Sprintf("route to %s over %s in %s", iproute.Dst(o.Dst), o.Dev, n)
	switch len(found) {
	case 0:
		return nil, netlink.Route{}, fmt.Errorf("%s: %w", object, lab.ErrGone)
	case 1:
		return n, found[0], nil
	}
	return nil, netlink.Route{}, fmt.Errorf("%s: there are %d of them", object, len(found))
}

// over leaves out a route with a tos: the command, which names none, would too.
func (o RouteDelAny) over(n *kernel.Namespace, link netlink.Link) ([]netlink.Route, error) {
	all, err := routesTo(n, o.Dst, unix.RT_TABLE_MAIN)
	if err != nil {
		return nil, err
	}
	var over []netlink.Route
	for _, r := range all {
		if r.LinkIndex == link.Attrs().Index && r.Tos == 0 {
			over = append(over, r)
		}
	}
	return over, nil
}

func (o RouteDelAny) Verify(k *kernel.Kernel) error {
	n, link, err := undoLink(k, o.NS, o.Dev)
	if errors.Is(err, lab.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	found, err := o.over(n, link)
	if err == nil && len(found) > 0 {
		return &lab.Mismatch{
			Object: "route to " + iproute.Dst(o.Dst) + " in " + n.String(), Field: "path",
			Want: "gone", Found: describeRoute(n, found[0]),
		}
	}
	return err
}
