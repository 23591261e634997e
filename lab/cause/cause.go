// Package cause looks for what keeps a pod from reaching its gateway, its host
// and the world outside. It reads what the kernel has, by netlink, sysctl files
// and the firewall's rules, and holds it against what the kernel is known to
// need (facts.md, sections 1, 4 and 6). It sends nothing and changes nothing.
package cause

import (
	"context"
	"net/netip"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Path is the way of a pod's packets, as a lab means it to be. What is left
// empty is not looked at.
type Path struct {
	NS, Dev string // the pod's namespace, and its device there
	HostDev string // the other end of Dev, on the host
	Pod     netip.Prefix
	Subnet  netip.Prefix // what the host routes to the pod
	// Gateway is the pod's next hop, Outside an address beyond the host, and
	// HostAddr one of the host's own. Where both are the same, the host is the gateway
	// by its own address, and no proxy.
	Gateway, Outside, HostAddr netip.Addr
	// Uplink is the host's device towards Outside, for when there is no route
	// that tells.
	Uplink string
	// Masquerade is what makes the host translate the pod's source, in the order
	// to apply. Empty: the pod needs none.
	Masquerade []lab.Op
	Goal       Goal
}

// Goal is what should work and doesn't. Nothing is named that can't break it:
// a lab half built has no cause in the steps to come.
type Goal int

// The goals. Each needs those before it, but Outside doesn't need Host, nor Host
// and Gateway what Forward needs towards Outside, nor Gateway a Route.
const (
	Everything Goal = iota // all of the below
	Namespace              // there is a namespace
	Link                   // the pod's device is up and has its address
	Route                  // the pod has a route to Outside
	Forward                // the host would pass on what the pod sends to Outside
	Gateway                // the host answers ARP for Gateway
	Host                   // the host answers at HostAddr
	Outside                // Outside answers
)

// past tells whether what breaks g breaks the goal too, g or a later one.
func (p Path) past(g Goal) bool { return p.Goal == Everything || p.Goal >= g }

// wants tells whether one of the goals is wanted.
func (p Path) wants(goals ...Goal) bool {
	for _, g := range goals {
		if p.Goal == g {
			return true
		}
	}
	return p.Goal == Everything
}

// Find returns what keeps the goal from working, the most fundamental first:
// what lies first on the packet's way. What only follows from a cause is left
// out. Without a certain cause it returns those that may be one, with the value
// "certain" set to "no"; an intact lab has none of either.
//
// It takes 1 to 3 ms. Only where nothing else is found does it run
// iptables-legacy, under the conditions of kernel.Firewall.LegacyRules. It can't
// see a firewall inside the pod, traffic control, BPF, IPsec, ARP filters, what
// conntrack remembers, or anything outside.
func Find(ctx context.Context, k *kernel.Kernel, p Path) ([]lab.Cause, error) {
	f := &finder{kernel: k, firewall: k.Firewall(), Path: p}
	for _, look := range []func() error{
		f.namespaces, f.links, f.addresses, f.podRoutes, f.neighbours, f.forwarding, f.hostRoutes,
		f.proxyARP, f.wayBack, f.rules, f.filters, f.masquerade, f.echo, f.mtu,
	} {
		if err := ctx.Err(); err != nil {
			return f.causes(), err
		}
		if err := look(); err != nil {
			return f.causes(), err
		}
		if f.end {
			break
		}
	}
	return f.causes(), nil
}

// finder is the state of one Find.
type finder struct {
	Path
	kernel   *kernel.Kernel
	firewall *kernel.Firewall // the host's

	pod, host          *kernel.Namespace
	podLink, hostLink  device
	uplink             device // the zero value where it isn't known
	hostAddrs          []address
	pinned             bool                // the pod has the gateway's right MAC for good, and never asks
	gatewayLocal       bool                // the gateway is an address of the host
	end                bool                // all that is left to look at follows from what was found
	legacy             map[string][]string // the chains of iptables-legacy that were read
	without            string              // the comment of rules to pass over, and
	own                string              // the chain that such a rule was last seen in
	stopped            []Stop
	certain, uncertain []lab.Cause
}

// found notes a cause. Values are given as names and values in turn.
func (f *finder) found(id string, repair lab.Command, values ...string) {
	f.certain = append(f.certain, lab.Cause{ID: id, Values: named(values), Repair: repair})
}

// perhaps notes what may be a cause, or none.
func (f *finder) perhaps(id string, repair lab.Command, values ...string) {
	v := named(values)
	v["certain"] = "no"
	f.uncertain = append(f.uncertain, lab.Cause{ID: id, Values: v, Repair: repair})
}

func named(values []string) map[string]string {
	v := map[string]string{}
	for i := 0; i+1 < len(values); i += 2 {
		v[values[i]] = values[i+1]
	}
	return v
}

func (f *finder) causes() []lab.Cause {
	if len(f.certain) > 0 {
		return f.certain
	}
	return f.uncertain
}
