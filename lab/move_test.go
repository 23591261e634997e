package lab_test

import (
	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

// move stands for `ip link set outer-peer netns space`.
type move struct{}

func (move) Kind() string                               { return "move" }
func (move) Command() lab.Command                       { return lab.Command{"move", "outer-peer", "space"} }
func (move) Undo() []lab.Op                             { return []lab.Op{moveBack{}} }
func (o move) Inverse(*kernel.Kernel) ([]lab.Op, error) { return o.Undo(), nil }
func (move) Makes() []lab.Ref                           { return []lab.Ref{moved} }
func (move) Within() []lab.Ref                          { return []lab.Ref{space, outer} }
func (move) Fresh(*kernel.Kernel) (bool, error)         { return true, nil }

func (move) Apply(k *kernel.Kernel) error {
	from, err := k.Namespace("")
	if err != nil {
		return err
	}
	to, err := k.Namespace("space")
	if err != nil {
		return err
	}
	link, err := from.Link("outer-peer")
	if err != nil {
		return err
	}
	return from.Change(func(h *netlink.Handle) error { return h.LinkSetNsFd(link, to.Fd()) })
}

func (move) Verify(k *kernel.Kernel) error {
	_, err := moved.Identify(k)
	return err
}

// moveBack is never applied where the link or the namespace goes.
type moveBack struct{ move }

func (moveBack) Kind() string         { return "move-back" }
func (moveBack) Command() lab.Command { return lab.Command{"move", "outer-peer", "back"} }
func (moveBack) Within() []lab.Ref    { return []lab.Ref{space, moved} }
