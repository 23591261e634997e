package probe

import (
	"context"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// activation is how long a device may take to be given its queue, and how often to
// look. It takes a millisecond, and longer only where the machine makes many links:
// they all wait in one line (linkwatch_event, net/core/link_watch.c).
const (
	activation     = time.Second
	activationPoll = 2 * time.Millisecond
)

// activated waits until a veth that has got its carrier has got its queue, too: until
// then the kernel drops what it is to send (noop_qdisc, net/sched/sch_generic.c). By
// its operational state it can be seen that the kernel has been there
// (linkwatch_do_dev). In the end nothing is wrong but that the first packet may be lost.
func activated(ctx context.Context, n *kernel.Namespace, dev netlink.Link) {
	wait, cancel := context.WithTimeout(ctx, activation)
	defer cancel()
	poll := time.NewTicker(activationPoll)
	defer poll.Stop()
	for {
		a := dev.Attrs()
		if dev.Type() != "veth" || a.RawFlags&unix.IFF_LOWER_UP == 0 || a.OperState == netlink.OperUp {
			return
		}
		select {
		case <-wait.Done():
			return
		case <-poll.C:
		}
		var err error
		if dev, err = n.Netlink.LinkByIndex(a.Index); err != nil {
			return // gone: whoever asks will see that
		}
	}
}
