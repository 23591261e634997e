package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// processOf is the process that a word names: its id alone, or behind "pid:".
func processOf(word string) (pid string, ok bool) {
	pid, _ = strings.CutPrefix(word, kernel.PidPrefix)
	n, err := strconv.Atoi(pid)
	return pid, err == nil && n > 0 && !strings.HasPrefix(pid, "+")
}

// node is the namespace that a word of the command line means: `host`, a name that
// `ip netns` has, or a process's.
func (a *app) node(k *kernel.Kernel, word string) (*kernel.Namespace, error) {
	if word == hostName {
		return k.Namespace(kernel.Host)
	}
	if strings.Contains(word, "/") || word == "" {
		return nil, a.noNode("trace.no-namespace", word)
	}
	named, err := k.NetnsExists(word)
	if err != nil {
		return nil, err
	}
	if pid, ok := processOf(word); ok && !named {
		n, err := k.Namespace(kernel.PidPrefix + pid)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, &usageError{Text: a.fill("trace.no-process", "pid", pid)}
		case errors.Is(err, fs.ErrPermission):
			return nil, &cannotError{Text: a.fill("trace.closed-process", "pid", pid), Err: err}
		}
		return n, err
	}
	n, err := k.Namespace(word)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, a.noNode("trace.no-namespace", word)
	}
	return n, err
}

// noNode is the error for a word that names nothing here.
func (a *app) noNode(key, word string) error {
	return a.unknown(key, word, append([]string{hostName}, kernel.NetnsNames("/")...), "netlab trace --help")
}

// target is the address to send to: the word itself, or one of the node's that it
// names.
func (a *app) target(k *kernel.Kernel, from *kernel.Namespace, word string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(word); err == nil {
		if !isHost(addr) {
			return addr, &usageError{Text: a.fill("trace.bad-target", "addr", word)}
		}
		return addr, nil
	}
	n, err := a.node(k, word)
	var usage *usageError
	if _, pid := processOf(word); errors.As(err, &usage) && !pid {
		return netip.Addr{}, a.noNode("trace.no-target", word)
	}
	if err != nil {
		return netip.Addr{}, err
	}
	own, err := globalAddresses(n)
	if err != nil {
		return netip.Addr{}, err
	}
	if len(own) == 0 {
		return netip.Addr{}, &usageError{Text: a.fill("trace.no-address", "in", a.placedName(n))}
	}
	return a.nearestOf(k, from, n, own)
}

// nearestOf chooses among the addresses of n: one on a link that from is on too;
// else, of the host, the one that it bears towards the world; else the first.
func (a *app) nearestOf(k *kernel.Kernel, from, n *kernel.Namespace, own []netip.Prefix) (netip.Addr, error) {
	links, err := globalAddresses(from)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, p := range own {
		for _, link := range links {
			if from.Name != n.Name && link.Bits() < 32 && link.Contains(p.Addr()) {
				return p.Addr(), nil
			}
		}
	}
	if n.Name == kernel.Host {
		facts, err := machine.Facts(k, netip.Addr{}, "")
		if err != nil {
			return netip.Addr{}, err
		}
		if addr, err := netip.ParseAddr(facts.HostAddr); err == nil {
			return addr, nil
		}
	}
	return own[0].Addr(), nil
}

// globalAddresses lists a namespace's IPv4 addresses that others can send to: by
// interface in the order in which they were made, those on lo last.
func globalAddresses(n *kernel.Namespace) ([]netip.Prefix, error) {
	all, err := kernel.Dump(func() ([]netlink.Addr, error) { return n.Netlink.AddrList(nil, unix.AF_INET) })
	if err != nil {
		return nil, err
	}
	const loopback = 1 // LOOPBACK_IFINDEX, net/flow.h
	slices.SortStableFunc(all, func(x, y netlink.Addr) int {
		last := func(i int) int {
			if i == loopback {
				return 1 << 31
			}
			return i
		}
		return last(x.LinkIndex) - last(y.LinkIndex)
	})
	var found []netip.Prefix
	for _, addr := range all {
		ip, ok := netip.AddrFromSlice(addr.IP.To4())
		bits, _ := addr.Mask.Size()
		if ok && addr.Scope == unix.RT_SCOPE_UNIVERSE {
			found = append(found, netip.PrefixFrom(ip, bits))
		}
	}
	return found, nil
}

// canAsk tells whether an address can be asked for by ARP from a namespace, so
// that silence means something.
func (a *app) canAsk(n *kernel.Namespace, addr netip.Addr, dev string) error {
	routes, err := n.Netlink.RouteGet(addr.AsSlice())
	if _, refused := kernel.RouteRefused(err); err != nil && !refused {
		return fmt.Errorf("look up the route to %s in %s: %w", addr, n, err)
	}
	if err == nil && len(routes) > 0 && routes[0].Type == unix.RTN_LOCAL {
		return &usageError{Text: a.fill("trace.arp-own", "in", a.placedName(n), "addr", addr.String())}
	}
	if dev == "" {
		if err != nil || len(routes) == 0 {
			return &usageError{Text: a.fill("trace.arp-no-route", "in", a.placedName(n), "addr", addr.String())}
		}
		return nil
	}
	_, err = n.Link(dev)
	if errors.Is(err, fs.ErrNotExist) {
		return &usageError{Text: a.fill("trace.no-device", "in", a.placedName(n), "dev", dev)}
	}
	return err
}

// placedName is a namespace's name in a sentence.
func (a *app) placedName(n *kernel.Namespace) string {
	if n.Name == kernel.Host {
		return a.say("the-host")
	}
	return n.Name
}

// isHost tells whether an address is one that a packet to a single host can have.
func isHost(addr netip.Addr) bool {
	return addr.Is4() && !addr.IsUnspecified() && !addr.IsMulticast() && addr != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
