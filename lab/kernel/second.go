package kernel

import (
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// second is another handle of the host's, for a change while one is under way: a handle
// sends one request at a time, and what waits for the kernel there is on its way at
// once when the kernel is done with the other. The zero value has none yet.
type second struct {
	busy   sync.Mutex // the first handle changes something
	open   sync.Once
	handle *netlink.Handle // nil: it could not be opened
}

// idle is a handle for a change, and what is to be called after it.
func (n *Namespace) idle() (h *netlink.Handle, done func()) {
	nothing := func() {}
	if n.Name != Host { // in a pod there is one change at a time
		return n.Netlink, nothing
	}
	s := &n.second
	if s.busy.TryLock() {
		return n.Netlink, s.busy.Unlock
	}
	s.open.Do(func() {
		_ = n.Do(func() (err error) { // else the first one will do
			s.handle, err = netlink.NewHandle(unix.NETLINK_ROUTE)
			return err
		})
	})
	if s.handle == nil {
		return n.Netlink, nothing
	}
	return s.handle, nothing
}

func (s *second) close() {
	if s.handle != nil {
		s.handle.Close()
	}
}
