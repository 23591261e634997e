package main

import (
	"crypto/sha1"
	"encoding/hex"
	"net/netip"

	"golang.org/x/sys/unix"
)

// bridge is pods of one subnet that the host switches between.
type bridge struct {
	pods   []pod
	subnet netip.Prefix
}

const bridgeIndex = firstIndex - 1

func newBridge(count int) bridge {
	pods, wide := makePods(count, netip.MustParsePrefix("10.244.1.0/24"), func(name string) string {
		if link := "v-" + name; len(link) < unix.IFNAMSIZ {
			return link
		}
		sum := sha1.Sum([]byte(name))
		return "veth" + hex.EncodeToString(sum[:4])
	})
	return bridge{pods, wide}
}

func (l bridge) all() []pod { return l.pods }

func (l bridge) prepare(host int, b *batch) error {
	b.message("RTM_NEWLINK: the bridge", unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, linkHeader(bridgeIndex, unix.IFF_UP, unix.IFF_UP))
	b.text(unix.IFLA_IFNAME, "br0").open(unix.IFLA_LINKINFO).text(unix.IFLA_INFO_KIND, "bridge").close()
	return b.send(host)
}

func (l bridge) dismantle(host int, b *batch) error {
	b.message("RTM_DELLINK: the bridge", unix.RTM_DELLINK, 0, linkHeader(0, 0, 0)).text(unix.IFLA_IFNAME, "br0")
	return b.send(host)
}

// outside plugs the cable in with the message that makes it.
func (l bridge) outside(b *batch, p pod, namespace int) {
	cable(b, p, namespace, func() { b.number(unix.IFLA_MASTER, bridgeIndex) })
}

func (l bridge) inside(b *batch, p pod) {
	address := p.addr.As4()
	up(b, podIndex)
	b.message("RTM_NEWADDR: the pod's", unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, addressHeader(uint8(l.subnet.Bits()), podIndex))
	b.attr(unix.IFA_LOCAL, address[:]).attr(unix.IFA_ADDRESS, address[:])
}
