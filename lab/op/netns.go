// Package op has the changes that a lab makes to the kernel, one file for each
// of iproute2's objects. An op is a plain value; see lab.Op for what is derived
// from it. A namespace is named as `ip netns` names it, empty for the host's.
package op

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// NetnsAdd makes a named network namespace.
type NetnsAdd struct {
	Name string `json:"name"`
}

// NetnsDel removes a named network namespace; what is in it goes with it.
type NetnsDel struct {
	Name string `json:"name"`
}

func (NetnsAdd) Kind() string           { return "netns-add" }
func (o NetnsAdd) Command() lab.Command { return lab.Command{"ip", "netns", "add", o.Name} }
func (o NetnsAdd) Undo() []lab.Op       { return []lab.Op{NetnsDel(o)} }
func (o NetnsAdd) Makes() []lab.Ref     { return []lab.Ref{{Kind: lab.RefNetns, Name: o.Name}} }

func (o NetnsAdd) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	exists, err := k.NetnsExists(o.Name)
	if err != nil {
		return nil, err
	}
	if exists {
		return nil, fmt.Errorf("network namespace %s: %w", o.Name, lab.ErrTaken)
	}
	return o.Undo(), nil
}

// Alters: see lab.Gatherer.
func (o NetnsAdd) Alters() (kernel.Reading, []string) {
	return kernel.ReadNames, []string{o.Name}
}

func (o NetnsAdd) Apply(k *kernel.Kernel) error { return k.AddNetns(o.Name) }

func (NetnsAdd) ApplyAll(ctx context.Context, k *kernel.Kernel, ops []lab.Op) (n int, err error) {
	names := make([]string, len(ops))
	for i, o := range ops {
		names[i] = o.(NetnsAdd).Name
	}
	return k.AddManyNetns(names, func() error {
		if ctx.Err() != nil {
			return lab.ErrInterrupted
		}
		return nil
	})
}

func (o NetnsAdd) Verify(k *kernel.Kernel) error {
	_, err := foundNamespace(k, o.Name)
	return err
}

// Fresh: the name leads to no namespace yet, or to one as the kernel makes it:
// with lo and the fallback devices of the tunnels it has loaded, all untouched.
func (o NetnsAdd) Fresh(k *kernel.Kernel) (bool, error) {
	n, err := k.Namespace(o.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	links, err := n.Links()
	if err != nil {
		return false, fmt.Errorf("list the links in %s: %w", n, err)
	}
	// net.core.fb_tunnels_only_for_init_net (Documentation/admin-guide/sysctl/net.rst)
	born := []string{"lo", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "sit0", "ip6tnl0", "ip6gre0", "ip6_vti0"}
	for _, link := range links {
		if !slices.Contains(born, link.Attrs().Name) {
			return false, nil
		}
		if as, err := untouched(n, link); err != nil || !as {
			return false, err
		}
	}
	routes, err := routesIn(n, netlink.FAMILY_ALL, unix.RT_TABLE_UNSPEC)
	return err == nil && len(routes) == 0, err
}

func (NetnsDel) Kind() string           { return "netns-del" }
func (o NetnsDel) Command() lab.Command { return lab.Command{"ip", "netns", "del", o.Name} }
func (o NetnsDel) Undo() []lab.Op       { return []lab.Op{NetnsAdd(o)} }
func (o NetnsDel) Within() []lab.Ref    { return []lab.Ref{{Kind: lab.RefNetns, Name: o.Name}} }

// Inverse: only an empty namespace can be put back.
func (o NetnsDel) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	if _, err := undoNamespace(k, o.Name); err != nil {
		return nil, err
	}
	fresh, err := NetnsAdd(o).Fresh(k)
	if err != nil {
		return nil, err
	}
	if !fresh {
		return nil, fmt.Errorf("what is in network namespace %s can't be put back", o.Name)
	}
	return o.Undo(), nil
}

func (o NetnsDel) Apply(k *kernel.Kernel) error {
	err := k.DelNetns(o.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("network namespace %s: %w", o.Name, lab.ErrGone)
	}
	return err
}

// Remains tells whether the name is still there and leads nowhere: a deletion was
// stopped between the unmounting and the removal of the file.
func (o NetnsDel) Remains(k *kernel.Kernel) (bool, error) {
	_, err := k.Namespace(o.Name)
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return k.NetnsExists(o.Name)
}

func (o NetnsDel) Verify(k *kernel.Kernel) error {
	exists, err := k.NetnsExists(o.Name)
	if err == nil && exists {
		return &lab.Mismatch{Object: "netns " + o.Name, Field: "name", Want: "gone", Found: "there"}
	}
	return err
}

func netnsRef(ns string) []lab.Ref {
	if ns == kernel.Host {
		return nil
	}
	return []lab.Ref{{Kind: lab.RefNetns, Name: ns}}
}

// foundNamespace is a namespace that an op works in: its absence is a mismatch.
func foundNamespace(k *kernel.Kernel, name string) (*kernel.Namespace, error) {
	n, err := k.Namespace(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &lab.Mismatch{Object: "netns " + name, Field: "name", Want: "there", Found: "missing", Err: err}
	}
	return n, err
}

// undoNamespace is a namespace that an undo is about: its absence is ErrGone.
func undoNamespace(k *kernel.Kernel, name string) (*kernel.Namespace, error) {
	n, err := k.Namespace(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("network namespace %s: %w", name, lab.ErrGone)
	}
	return n, err
}
