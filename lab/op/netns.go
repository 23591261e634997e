// Package op has the changes that a lab makes to the kernel, one file for each
// of iproute2's objects. An op is a plain value; see lab.Op for what is derived
// from it. A namespace is named as `ip netns` names it, empty for the host's.
package op

import (
	"errors"
	"fmt"
	"io/fs"

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

func (o NetnsAdd) Apply(k *kernel.Kernel) error { return k.AddNetns(o.Name) }

func (o NetnsAdd) Verify(k *kernel.Kernel) error {
	_, err := k.Namespace(o.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return &lab.Mismatch{Object: "netns " + o.Name, Field: "name", Want: "there", Found: "missing", Err: err}
	}
	return err
}

// Fresh: the name leads to no namespace yet, or to one that has only lo, down.
func (o NetnsAdd) Fresh(k *kernel.Kernel) (bool, error) {
	n, err := k.Namespace(o.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	links, err := n.Netlink.LinkList()
	if err != nil {
		return false, fmt.Errorf("list the links in %s: %w", o.Name, err)
	}
	return len(links) == 1 && links[0].Attrs().RawFlags&1 == 0, nil
}

func (NetnsDel) Kind() string                               { return "netns-del" }
func (o NetnsDel) Command() lab.Command                     { return lab.Command{"ip", "netns", "del", o.Name} }
func (o NetnsDel) Undo() []lab.Op                           { return []lab.Op{NetnsAdd(o)} }
func (o NetnsDel) Inverse(*kernel.Kernel) ([]lab.Op, error) { return o.Undo(), nil }
func (o NetnsDel) Within() []lab.Ref                        { return []lab.Ref{{Kind: lab.RefNetns, Name: o.Name}} }

func (o NetnsDel) Apply(k *kernel.Kernel) error {
	exists, err := k.NetnsExists(o.Name)
	if err != nil {
		return err
	}
	if !exists {
		return fmt.Errorf("network namespace %s: %w", o.Name, lab.ErrGone)
	}
	return k.DelNetns(o.Name)
}

func (o NetnsDel) Verify(k *kernel.Kernel) error {
	exists, err := k.NetnsExists(o.Name)
	if err == nil && exists {
		return &lab.Mismatch{Object: "netns " + o.Name, Field: "name", Want: "gone", Found: "there"}
	}
	return err
}
