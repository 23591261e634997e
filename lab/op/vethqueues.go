package op

import (
	"strconv"

	"github.com/vishvananda/netlink"

	"netlab/lab/kernel"
)

// queueWords are what one end's part of the command says of its queues.
func (o VethAdd) queueWords() []string {
	if o.Queues == 0 {
		return nil
	}
	n := strconv.Itoa(o.Queues)
	return []string{"numtxqueues", n, "numrxqueues", n}
}

func (o VethAdd) verifyQueues(end netlink.Link) error {
	if o.Queues == 0 {
		return nil
	}
	a, want := end.Attrs(), strconv.Itoa(o.Queues)
	return sameLink(a.Name,
		linkField{"numtxqueues", want, strconv.Itoa(a.NumTxQueues)},
		linkField{"numrxqueues", want, strconv.Itoa(a.NumRxQueues)},
	)
}

// Effect: how many queues an end has makes no difference to where packets go, so a
// pair made without naming them does as well.
func (o VethAdd) Effect(k *kernel.Kernel) error {
	o.Queues = 0
	return o.Verify(k)
}
