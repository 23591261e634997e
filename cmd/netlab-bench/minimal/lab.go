package main

import "golang.org/x/sys/unix"

// lab says what one kind of lab is made of, in messages.
type lab interface {
	all() []pod
	// prepare is done once, before the pods.
	prepare(host int, b *batch) error
	// outside writes what is done on the host for a pod's namespace, inside what is
	// done in it.
	outside(b *batch, p pod, namespace int)
	inside(b *batch, p pod)
	// dismantle is done once, in the end, besides the namespaces.
	dismantle(host int, b *batch) error
}

// podIndex is eth0's number: a new namespace has lo, and then the first device.
const podIndex = 2

// cable writes the message that makes a pod's cable, the pod's end in place and the
// host's up. One queue each is what a container has use for, and saves two grace
// periods a pair.
func cable(b *batch, p pod, namespace int, more func()) {
	b.message("RTM_NEWLINK: the cable", unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, linkHeader(p.index, unix.IFF_UP, unix.IFF_UP))
	b.text(unix.IFLA_IFNAME, p.link).number(unix.IFLA_NUM_TX_QUEUES, 1).number(unix.IFLA_NUM_RX_QUEUES, 1)
	more()
	const vethInfoPeer = 1 // linux/veth.h
	b.open(unix.IFLA_LINKINFO).text(unix.IFLA_INFO_KIND, "veth")
	b.open(unix.IFLA_INFO_DATA).open(vethInfoPeer).raw(linkHeader(podIndex, 0, 0))
	b.text(unix.IFLA_IFNAME, "eth0").number(unix.IFLA_NET_NS_FD, uint32(namespace))
	b.number(unix.IFLA_NUM_TX_QUEUES, 1).number(unix.IFLA_NUM_RX_QUEUES, 1)
	b.close().close().close()
}

func up(b *batch, index int32) {
	b.message("RTM_NEWLINK: a device up", unix.RTM_NEWLINK, 0, linkHeader(index, unix.IFF_UP, unix.IFF_UP))
}
