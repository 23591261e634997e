package lab_test

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

// object makes a network namespace or a link with a peer, which have an identity.
type object struct {
	w *world
	lab.Ref
}

// remove removes it.
type remove struct {
	w *world
	lab.Ref
	Fixed bool // the removal does not follow a new name
}

func (object) Kind() string { return "make" }
func (remove) Kind() string { return "remove" }

func (o object) Command() lab.Command                     { return lab.Command{"make", o.Name} }
func (o remove) Command() lab.Command                     { return lab.Command{"remove", o.Name} }
func (o object) Undo() []lab.Op                           { return []lab.Op{remove{w: o.w, Ref: o.Ref}} }
func (o remove) Undo() []lab.Op                           { return nil }
func (o remove) Inverse(*kernel.Kernel) ([]lab.Op, error) { return nil, nil }
func (o object) Makes() []lab.Ref                         { return []lab.Ref{o.Ref} }
func (o object) Within() []lab.Ref                        { return within(o.Ref) }
func (o remove) Within() []lab.Ref                        { return append(within(o.Ref), o.Ref) }
func (o object) Fresh(*kernel.Kernel) (bool, error)       { return !o.w.touched[o.Name], nil }

func (o remove) Renamed(name string) lab.Op {
	o.Name = name
	return o
}

func within(ref lab.Ref) []lab.Ref {
	if ref.NS == "" {
		return nil
	}
	return []lab.Ref{{Kind: lab.RefNetns, Name: ref.NS}}
}

func (o object) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	if _, err := o.Identify(k); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("%s: %w", o.Ref, lab.ErrTaken), err)
	}
	return o.Undo(), nil
}

func (o object) Apply(k *kernel.Kernel) error {
	if err := makeObject(k, o.Ref); err != nil {
		return err
	}
	return o.w.before(o.Command()) // after the deed: a failure leaves it there
}

func makeObject(k *kernel.Kernel, ref lab.Ref) error {
	if ref.Kind == lab.RefNetns {
		return k.AddNetns(ref.Name)
	}
	n, err := k.Namespace(ref.NS)
	if err != nil {
		return err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = ref.Name
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: ref.Name + "-peer"}
	return n.Change(func(h *netlink.Handle) error { return h.LinkAdd(veth) })
}

func (o remove) Apply(k *kernel.Kernel) error {
	if err := o.w.before(o.Command()); err != nil {
		return err
	}
	if _, err := o.Identify(k); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", o.Ref, lab.ErrGone)
	}
	if o.Ref.Kind == lab.RefNetns {
		return k.DelNetns(o.Name)
	}
	n, err := k.Namespace(o.NS)
	if err != nil {
		return err
	}
	link, err := n.Link(o.Name)
	if err != nil {
		return err
	}
	return n.Change(func(h *netlink.Handle) error { return h.LinkDel(link) })
}

func (o object) Verify(k *kernel.Kernel) error {
	_, err := o.Identify(k)
	return err
}

func (o remove) Verify(k *kernel.Kernel) error {
	if _, err := o.Identify(k); !errors.Is(err, fs.ErrNotExist) {
		return &lab.Mismatch{Object: o.Ref.String(), Field: "name", Want: "gone", Found: "there", Err: err}
	}
	return nil
}
