package main

import (
	"net/netip"
	"strconv"
)

// pod is a network namespace with one end of a cable, eth0, in it; the other end
// is the host's.
type pod struct {
	name string
	link string // the host's end
	addr netip.Addr
	// index is the number of the host's end. It is chosen, so that one message can
	// make a device and the next ones can mean it, without waiting for an answer.
	index int32
}

// firstIndex is above the numbers of a host's few devices.
const firstIndex = 10_000

// makePods names count pods, and after them the one that netlab's labs have to
// watch, with addresses that follow the first of a subnet. They are the names and
// addresses that netlab gives them.
func makePods(count int, subnet netip.Prefix, link func(name string) string) (pods []pod, wide netip.Prefix) {
	for 1<<(32-subnet.Bits()) < count+3 {
		subnet = netip.PrefixFrom(subnet.Addr(), subnet.Bits()-1).Masked()
	}
	addr := subnet.Addr()
	for i := range count + 1 {
		name := "pod" + strconv.Itoa(i+1)
		if i == count {
			name = "pod-watch"
		}
		addr = addr.Next()
		pods = append(pods, pod{name: name, link: link(name), addr: addr, index: firstIndex + int32(i)})
	}
	return pods, subnet
}
