package op

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// RouteDel deletes the route that the RouteAdd of the same fields adds.
type RouteDel RouteAdd

func (RouteDel) Kind() string           { return "route-del" }
func (o RouteDel) Command() lab.Command { return RouteAdd(o).command("del") }
func (o RouteDel) Undo() []lab.Op       { return []lab.Op{RouteAdd(o)} }
func (o RouteDel) Within() []lab.Ref    { return linkRefs(o.NS, o.Dev) }

func (o RouteDel) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	_, _, err := o.find(k)
	if err != nil {
		return nil, err
	}
	return o.Undo(), nil
}

// Apply deletes the route that RouteAdd made, no other: the kernel, asked for a
// route without a metric, would take one with any.
func (o RouteDel) Apply(k *kernel.Kernel) error {
	n, link, err := o.find(k)
	if err != nil {
		return err
	}
	err = n.Change(func(h *netlink.Handle) error { return h.RouteDel(RouteAdd(o).netlinkRoute(link)) })
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("route to %s in %s: %w", RouteAdd(o).dst(), n, lab.ErrGone)
	}
	if err != nil {
		return fmt.Errorf("delete the route to %s in %s: %w", RouteAdd(o).dst(), n, err)
	}
	return nil
}

// find returns an error wrapping ErrGone where the route's place is empty, and
// ErrChanged where another route stands in it.
func (o RouteDel) find(k *kernel.Kernel) (*kernel.Namespace, netlink.Link, error) {
	n, link, err := undoLink(k, o.NS, o.Dev)
	if err != nil {
		return nil, nil, err
	}
	found, err := routesTo(n, o.Dst)
	if err != nil {
		return nil, nil, err
	}
	as := lab.ErrGone
	for _, r := range found {
		if RouteAdd(o).made(link, r) && r.Protocol == unix.RTPROT_BOOT {
			return n, link, nil
		}
		if r.Priority == 0 && r.Tos == 0 {
			as = lab.ErrChanged
		}
	}
	return nil, nil, fmt.Errorf("route to %s in %s: %w", RouteAdd(o).dst(), n, as)
}

func (o RouteDel) Verify(k *kernel.Kernel) error {
	err := RouteAdd(o).Verify(k)
	var differs *lab.Mismatch
	if errors.As(err, &differs) {
		return nil
	}
	if err != nil {
		return err
	}
	return &lab.Mismatch{Object: "route to " + RouteAdd(o).dst(), Field: "path", Want: "gone", Found: RouteAdd(o).describe()}
}
