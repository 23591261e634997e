package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strconv"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Facts reads what a scenario must know of the machine that the calling process
// is in. outside is the address to try beyond the host; the zero value means
// the sandbox's server in a sandbox, and the default gateway elsewhere. link is
// the device whose rp_filter counts, where one of that name exists already;
// else, and for the empty name, a device made now is meant.
//
// Without a default route Uplink is empty, without a route to outside HostAddr
// is, but in a sandbox, which always has the same ones: that is no error here.
// Firewall and IptablesNFT are left empty.
func Facts(k *kernel.Kernel, outside netip.Addr, link string) (lab.Facts, error) {
	host, err := k.Namespace(kernel.Host)
	if err != nil {
		return lab.Facts{}, err
	}
	f := lab.Facts{IPv6: haveIPv6()}
	if f.RPFilter, err = rpFilter(host, link); err != nil {
		return lab.Facts{}, err
	}
	if f.IPForward, err = isOn(host, "net/ipv4/ip_forward"); err != nil {
		return lab.Facts{}, err
	}
	if f.BridgeFirewall, err = isOn(host, bridgeFirewall); err != nil {
		return lab.Facts{}, err
	}
	net, err := readNet(host)
	if err != nil {
		return lab.Facts{}, err
	}
	route, routed := net.defaultRoute()
	f.Uplink = route.dev
	if route.gateway.IsValid() {
		f.Router = route.gateway.String()
	}
	marker, marked, err := Here()
	if err != nil {
		return lab.Facts{}, err
	}
	if marked && marker.WhoAmI.IsValid() {
		f.WhoAmI = marker.WhoAmI.String()
	}
	if !outside.IsValid() && marked {
		outside = marker.Outside
	}
	if marked && !routed { // a lab has taken it away; a sandbox has one uplink only
		f.Uplink, f.Router, f.HostAddr = Uplink, UplinkAddr, HostAddr
	}
	if !outside.IsValid() && routed {
		outside = route.gateway
	}
	if !outside.IsValid() {
		return f, nil
	}
	f.Outside = outside.String()
	if marked && !routed {
		return f, nil
	}
	f.HostAddr, err = sourceTowards(host, outside)
	return f, err
}

// SandboxFacts is what Facts would find in a sandbox just started, for showing
// a run without one.
func SandboxFacts() lab.Facts {
	return lab.Facts{
		IPv6:     haveIPv6(), // the kernel is the same
		Uplink:   Uplink,
		Router:   UplinkAddr,
		HostAddr: HostAddr,
		Outside:  Server,
		WhoAmI:   WhoAmIAddr,
	}
}

// rpFilter is the larger of all's and the device's, as the kernel takes it
// (IN_DEV_MAXCONF, ip-sysctl.rst).
func rpFilter(host *kernel.Namespace, link string) (int, error) {
	most, err := rpFilterOf(host, "all")
	if err != nil {
		return 0, err
	}
	if link == "" {
		link = "default"
	}
	own, err := rpFilterOf(host, link)
	if errors.Is(err, fs.ErrNotExist) {
		own, err = rpFilterOf(host, "default")
	}
	return max(most, own), err
}

// bridgeFirewall is a switch that is there while br_netfilter is loaded: each
// namespace has its own, and a new one begins with 1 (brnf_sysctl_defaults,
// net/bridge/br_netfilter_hooks.c).
const bridgeFirewall = "net/bridge/bridge-nf-call-iptables"

// isOn reads a switch; one that is not there is off.
func isOn(host *kernel.Namespace, key string) (bool, error) {
	value, err := host.Sysctl(key)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return value != "0", err
}

func rpFilterOf(host *kernel.Namespace, dev string) (int, error) {
	value, err := host.Sysctl("net/ipv4/conf/" + dev + "/rp_filter")
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("rp_filter of %s: %w", dev, err)
	}
	return n, nil
}

// sourceTowards is the source address that the kernel picks towards an address,
// as `ip route get` shows it; empty where there is no way.
func sourceTowards(host *kernel.Namespace, outside netip.Addr) (string, error) {
	routes, err := host.Netlink.RouteGet(outside.AsSlice())
	if _, refused := kernel.RouteRefused(err); refused {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look up the route to %s: %w", outside, err)
	}
	if len(routes) == 0 {
		return "", nil
	}
	src, ok := netip.AddrFromSlice(routes[0].Src.To4())
	if !ok {
		return "", nil
	}
	return src.String(), nil
}
