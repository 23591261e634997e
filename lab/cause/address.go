package cause

import (
	"net/netip"
	"strings"

	"netlab/lab/kernel"
	"netlab/lab/op"
)

// addresses: the pod has its own, and nobody has another's.
func (f *finder) addresses() error {
	inPod, err := addressesOf(f.pod)
	if err != nil {
		return err
	}
	if f.hostAddrs, err = addressesOf(f.host); err != nil {
		return err
	}
	var onDev []string
	there := false
	for _, a := range inPod {
		if a.index == f.podLink.Index {
			onDev = append(onDev, a.String())
			there = there || a.Addr() == f.Pod.Addr()
		}
	}
	if f.Pod.IsValid() && !there {
		f.found(AddressMissing, op.AddrAdd{NS: f.NS, Link: f.Dev, Addr: f.Pod}.Command(),
			"dev", f.Dev, "in", f.NS, "want", f.Pod.String(), "found", strings.Join(onDev, ", "))
	}
	f.ownGateway()
	if f.Goal == Link {
		f.end = true
		return nil
	}
	for _, addr := range []netip.Addr{f.Gateway, f.HostAddr, f.Outside} {
		if err := f.duplicate(f.pod, inPod, addr); err != nil {
			return err
		}
	}
	if err := f.duplicate(f.host, f.hostAddrs, f.Pod.Addr()); err != nil {
		return err
	}
	return f.gatewayOnHost()
}

func (f *finder) duplicate(n *kernel.Namespace, all []address, addr netip.Addr) error {
	a, ok := having(all, addr)
	if !ok {
		return nil
	}
	dev, err := nameOf(n, a.index)
	if err == nil {
		f.found(AddressDuplicate, op.AddrDel{NS: n.Name, Link: dev, Addr: a.Prefix}.Command(),
			"addr", addr.String(), "dev", dev, "in", n.String())
	}
	return err
}

// ownGateway: a gateway that is the host's own is one of its addresses.
func (f *finder) ownGateway() {
	if !f.HostAddr.IsValid() || f.HostAddr != f.Gateway {
		return
	}
	if _, ok := having(f.hostAddrs, f.Gateway); ok {
		return
	}
	f.gatewayLocal = true // it should be, so nothing else is to answer for it
	addr := netip.PrefixFrom(f.Gateway, f.Gateway.BitLen())
	f.found(AddressMissing, op.AddrAdd{Link: f.HostDev, Addr: addr}.Command(),
		"dev", f.HostDev, "in", f.host.String(), "want", addr.String(), "found", "")
}

// gatewayOnHost: the host answers for an address of its own without proxy ARP,
// unless arp_ignore says that it must be the asking device's (ip-sysctl.rst).
func (f *finder) gatewayOnHost() error {
	a, ok := having(f.hostAddrs, f.Gateway)
	if !ok || !f.past(Gateway) {
		return nil
	}
	f.gatewayLocal = true
	meant := f.HostAddr == f.Gateway
	ignore, err := f.inForce("arp_ignore")
	if err != nil {
		return err
	}
	note := f.perhaps
	if ignore > 2 || ignore > 0 && a.index != f.hostLink.Index {
		note = f.found
	}
	if meant && ignore <= 2 { // there is one on every cable
		return nil
	}
	dev, err := nameOf(f.host, a.index)
	if err == nil {
		note(GatewayOnHost, op.AddrDel{Link: dev, Addr: a.Prefix}.Command(), "gateway", f.Gateway.String(), "dev", dev)
	}
	return err
}

// inForce is the larger of all's and the host device's value, as the kernel
// takes some of its settings (IN_DEV_MAXCONF, linux/inetdevice.h).
func (f *finder) inForce(setting string) (int, error) {
	all, err := f.hostNumber("net/ipv4/conf/all/" + setting)
	if err != nil {
		return 0, err
	}
	own, err := f.hostNumber("net/ipv4/conf/" + f.HostDev + "/" + setting)
	return max(all, own), err
}
