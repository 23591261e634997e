package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"

	"netlab/lab/kernel"
)

// The small world that BuildWorld makes. Its addresses are set aside for
// documentation (RFC 5737), so they are nobody's.
//
//	host ── up0 192.0.2.2/24 ──── eth0 192.0.2.1/24 ── internet (lo 203.0.113.80/32)
const (
	// Internet is the named network namespace behind the host's uplink.
	Internet = "internet"
	// Uplink is the host's device towards it, InternetLink the other end.
	Uplink       = "up0"
	InternetLink = "eth0"
	// HostPrefix is the host's address on Uplink; UplinkPrefix is the one of its
	// default gateway, on InternetLink.
	HostPrefix   = "192.0.2.2/24"
	UplinkPrefix = "192.0.2.1/24"
	HostAddr     = "192.0.2.2"
	UplinkAddr   = "192.0.2.1"
	// Server is an address in Internet one hop beyond the gateway, on its lo.
	Server       = "203.0.113.80"
	ServerPrefix = Server + "/32"
)

// BuildWorld makes a host with an uplink and an internet behind it, in the
// calling process's network namespace, which must be private and empty but for
// lo. Internet answers ping on both of its addresses and has no route to
// anything but HostPrefix: what comes from a lab's subnet untranslated gets no
// answer. The settings that labs depend on have a known start afterwards, in
// both namespaces: forwarding, proxy ARP, rp_filter, IPv6 and iptables for bridged
// frames off.
//
// After an error the namespaces are half built; they are meant to be dropped.
func BuildWorld(k *kernel.Kernel) error {
	if err := k.AddNetns(Internet); err != nil {
		return err
	}
	host, err := k.Namespace(kernel.Host)
	if err != nil {
		return err
	}
	internet, err := k.Namespace(Internet)
	if err != nil {
		return err
	}
	// Before the devices are made: they take their settings from default.
	for _, n := range []*kernel.Namespace{host, internet} {
		if err := settle(n); err != nil {
			return err
		}
		if err := up(n, "lo"); err != nil {
			return err
		}
	}
	pair := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{
			Name: Uplink, Flags: net.FlagUp, NumTxQueues: 1, NumRxQueues: 1,
		},
		PeerName:      InternetLink,
		PeerNamespace: netlink.NsFd(internet.Fd()), // moving it there would cost 15 ms (facts.md, section 9)
	}
	err = host.Change(func(h *netlink.Handle) error { return h.LinkAdd(pair) })
	if err != nil {
		return fmt.Errorf("make veth pair %s and %s: %w", Uplink, InternetLink, err)
	}
	if err := up(internet, InternetLink); err != nil {
		return err
	}
	for _, a := range []struct {
		n            *kernel.Namespace
		link, prefix string
	}{
		{host, Uplink, HostPrefix},
		{internet, InternetLink, UplinkPrefix},
		{internet, "lo", ServerPrefix},
	} {
		if err := address(a.n, a.link, netip.MustParsePrefix(a.prefix)); err != nil {
			return err
		}
	}
	route := &netlink.Route{Gw: net.ParseIP(UplinkAddr), Scope: netlink.SCOPE_UNIVERSE}
	if err := host.Change(func(h *netlink.Handle) error { return h.RouteAdd(route) }); err != nil {
		return fmt.Errorf("add default route via %s: %w", UplinkAddr, err)
	}
	return nil
}

// settle gives a namespace a known start. A new one may have inherited its
// settings from the machine's first (facts.md, section 1), lo included.
func settle(n *kernel.Namespace) error {
	// First: a change of ip_forward sets others along with it.
	if err := n.SetSysctl("net/ipv4/ip_forward", "0"); err != nil {
		return err
	}
	for _, dev := range []string{"all", "default", "lo"} {
		for _, key := range []struct{ name, value string }{
			{"rp_filter", "0"},
			{"forwarding", "0"},
			{"proxy_arp", "0"},
			{"proxy_arp_pvlan", "0"},
			{"arp_ignore", "0"},
			{"arp_announce", "0"},
			{"arp_filter", "0"},
			{"accept_local", "0"},
			{"route_localnet", "0"},
			{"accept_redirects", "0"},
			{"send_redirects", "0"},
			{"accept_source_route", "0"},
			{"log_martians", "0"},
		} {
			if err := n.SetSysctl("net/ipv4/conf/"+dev+"/"+key.name, key.value); err != nil {
				return err
			}
		}
	}
	// There only while br_netfilter is loaded: bridged frames are left to the bridge.
	if err := n.SetSysctl(bridgeFirewall, "0"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !haveIPv6() {
		return nil
	}
	for _, dev := range []string{"all", "default"} {
		if err := n.SetSysctl("net/ipv6/conf/"+dev+"/disable_ipv6", "1"); err != nil {
			return err
		}
	}
	return nil
}

func haveIPv6() bool {
	_, err := os.Stat(kernel.SysctlPath("net/ipv6/conf"))
	return err == nil
}

func up(n *kernel.Namespace, name string) error {
	link, err := n.Link(name)
	if err != nil {
		return err
	}
	if err := n.Change(func(h *netlink.Handle) error { return h.LinkSetUp(link) }); err != nil {
		return fmt.Errorf("set %s up in %s: %w", name, n, err)
	}
	return nil
}

func address(n *kernel.Namespace, name string, p netip.Prefix) error {
	link, err := n.Link(name)
	if err != nil {
		return err
	}
	addr := &netlink.Addr{IPNet: &net.IPNet{
		IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
	}}
	if err := n.Change(func(h *netlink.Handle) error { return h.AddrAdd(link, addr) }); err != nil {
		return fmt.Errorf("add address %s to %s in %s: %w", p, name, n, err)
	}
	return nil
}
