package op

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// RouteDel deletes the route that the RouteAdd of the same fields adds.
type RouteDel RouteAdd

func (RouteDel) Kind() string           { return "route-del" }
func (o RouteDel) Command() lab.Command { return RouteAdd(o).command("del") }
func (o RouteDel) Undo() []lab.Op       { return []lab.Op{RouteAdd(o)} }
func (o RouteDel) Within() []lab.Ref    { return devRefs(o.NS, o.Dev) }

func (o RouteDel) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	if _, _, err := o.find(k); err != nil {
		return nil, err
	}
	back := RouteRestore{Route: RouteAdd(o), Proto: o.Proto}
	back.Route.Proto = ""
	return []lab.Op{back}, nil
}

// Apply deletes the route that RouteAdd made, no other: the kernel, asked for a
// route without a metric, would take one with any.
func (o RouteDel) Apply(k *kernel.Kernel) error {
	n, link, err := o.find(k)
	if err != nil {
		return err
	}
	r, err := RouteAdd(o).netlinkRoute(link)
	if err != nil {
		return err
	}
	err = n.Change(func(h *netlink.Handle) error { return h.RouteDel(r) })
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("route to %s in %s: %w", iproute.Dst(o.Dst), n, lab.ErrGone)
	}
	if err != nil {
		return fmt.Errorf("delete the route to %s in %s: %w", iproute.Dst(o.Dst), n, err)
	}
	return nil
}

// find returns an error wrapping ErrGone where the route's place is empty, and
// ErrChanged where another route stands in it.
func (o RouteDel) find(k *kernel.Kernel) (*kernel.Namespace, netlink.Link, error) {
	n, link, err := undoDev(k, o.NS, o.Dev)
	if err != nil {
		return nil, nil, err
	}
	found, err := routesTo(n, o.Dst, RouteAdd(o).table())
	if err != nil {
		return nil, nil, err
	}
	proto, err := iproute.ProtoNumber(o.Proto)
	if err != nil {
		return nil, nil, err
	}
	as := lab.ErrGone
	for _, r := range found {
		if RouteAdd(o).made(link, r) && int(r.Protocol) == proto {
			return n, link, nil
		}
		if r.Priority == 0 && r.Tos == 0 {
			as = lab.ErrChanged
		}
	}
	return nil, nil, fmt.Errorf("route to %s in %s: %w", iproute.Dst(o.Dst), n, as)
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
	return &lab.Mismatch{Object: "route to " + iproute.Dst(o.Dst), Field: "path", Want: "gone", Found: RouteAdd(o).describe()}
}
