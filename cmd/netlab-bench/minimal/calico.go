package main

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// calico is pods that are routed to, each with a cable to the host, which answers
// ARP for their gateway.
type calico struct{ pods []pod }

func newCalico(count int) calico {
	pods, _ := makePods(count, netip.MustParsePrefix("10.244.244.64/26"), func(name string) string {
		sum := sha1.Sum([]byte("default." + name))
		return "cali" + hex.EncodeToString(sum[:])[:11]
	})
	return calico{pods}
}

func (c calico) all() []pod { return c.pods }

// prepare lets the host forward, before there are devices, which take it over.
func (c calico) prepare(int, *batch) error {
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0)
}

// dismantle puts the values of the benchmark's host back: nothing was noted. The
// switch takes accept_redirects with it (inet_forward_change, net/ipv4/devinet.c).
func (c calico) dismantle(int, *batch) error {
	const dir = "/proc/sys/net/ipv4/"
	return errors.Join(os.WriteFile(dir+"ip_forward", []byte("0"), 0),
		os.WriteFile(dir+"conf/all/accept_redirects", []byte("0"), 0))
}

// Of linux/ip.h: an option's number in IFLA_INET_CONF.
const (
	devconfProxyARP      = 3
	devconfRouteLocalnet = 26
	iflaInetConf         = 1
	ndtaName, ndtaParms  = 1, 6 // linux/neighbour.h
	ndtpaIfindex         = 1
	ndtpaProxyDelay      = 13
	ndtmsgSize           = 4
	hostMAC              = "\xee\xee\xee\xee\xee\xee"
)

// outside is a cable, a route and three options. The options are attributes of
// messages: a file of /proc/sys for each would cost more than all else.
func (c calico) outside(b *batch, p pod, namespace int) {
	cable(b, p, namespace, func() { b.attr(unix.IFLA_ADDRESS, []byte(hostMAC)) })
	b.message("RTM_SETLINK: proxy_arp, route_localnet", unix.RTM_SETLINK, 0, linkHeader(p.index, 0, 0))
	b.open(unix.IFLA_AF_SPEC).open(unix.AF_INET).open(iflaInetConf)
	b.number(devconfProxyARP, 1).number(devconfRouteLocalnet, 1)
	b.close().close().close()
	b.message("RTM_SETNEIGHTBL: proxy_delay", unix.RTM_SETNEIGHTBL, 0, append([]byte{unix.AF_INET}, make([]byte, ndtmsgSize-1)...))
	b.text(ndtaName, "arp_cache")
	b.open(ndtaParms).number(ndtpaIfindex, uint32(p.index)).attr(ndtpaProxyDelay, make([]byte, 8)).close()
	address := p.addr.As4()
	b.message("RTM_NEWROUTE: to the pod", unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, routeHeader(32, unix.RT_SCOPE_LINK))
	b.attr(unix.RTA_DST, address[:]).number(unix.RTA_OIF, uint32(p.index))
}

func (c calico) inside(b *batch, p pod) {
	gateway := []byte{169, 254, 1, 1}
	address := p.addr.As4()
	up(b, podIndex)
	b.message("RTM_NEWROUTE: to the gateway", unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, routeHeader(32, unix.RT_SCOPE_LINK))
	b.attr(unix.RTA_DST, gateway).number(unix.RTA_OIF, podIndex)
	b.message("RTM_NEWROUTE: the default", unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, routeHeader(0, unix.RT_SCOPE_UNIVERSE))
	b.attr(unix.RTA_GATEWAY, gateway).number(unix.RTA_OIF, podIndex)
	b.message("RTM_NEWADDR: the pod's", unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, addressHeader(32, podIndex))
	b.attr(unix.IFA_LOCAL, address[:]).attr(unix.IFA_ADDRESS, address[:])
}
