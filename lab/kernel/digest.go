package kernel

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Digest is short for what people set: of the host and of every named namespace the
// links, IPv4 addresses, routes, rules, permanent neighbours, the settings that decide
// whom the kernel answers, believes and forwards for, and the firewall. It is taken in
// a few milliseconds and changes nothing. While it is the same, so is all that. It knows nothing of what the kernel changes by itself, such as
// caches, carriers and counters; nor of IPv6, or of iptables-legacy's own chains.
func (k *Kernel) Digest() (string, error) {
	sum := sha256.New()
	for _, name := range append([]string{Host}, NetnsNames("/")...) {
		n, err := k.Namespace(name)
		if errors.Is(err, fs.ErrNotExist) { // a file that is none, or its end
			fmt.Fprintf(sum, "no namespace %q\n", name)
			continue
		}
		if err != nil {
			return "", err
		}
		lines, err := n.lines()
		if err != nil {
			return "", fmt.Errorf("read what is set in %s: %w", n, err)
		}
		fmt.Fprintf(sum, "%q\n%s\n", name, strings.Join(lines, "\n"))
	}
	for _, chain := range []struct{ table, name string }{
		{"filter", "INPUT"}, {"filter", "FORWARD"}, {"filter", "OUTPUT"}, {"nat", "PREROUTING"}, {"nat", "POSTROUTING"},
	} {
		rules, err := k.Firewall().LegacyRules(chain.table, chain.name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s\n", strings.Join(rules, "\n"))
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// lines are what is set in a namespace, in an order that does not change.
func (n *Namespace) lines() ([]string, error) {
	var lines []string
	for _, part := range []func() ([]string, error){n.linkLines, n.addressLines, n.routeLines, n.ruleLines, n.neighbourLines, n.settingLines} {
		more, err := part()
		if err != nil {
			return nil, err
		}
		slices.Sort(more)
		lines = append(lines, more...)
	}
	generation, err := n.Firewall().Generation()
	if err != nil {
		generation = 0 // a kernel without nftables has nothing of it
	}
	return append(lines, fmt.Sprint("nftables ", generation)), nil
}

func (n *Namespace) linkLines() ([]string, error) {
	links, err := Dump(n.Netlink.LinkList)
	return each(links, func(l netlink.Link) string {
		a := l.Attrs()
		return fmt.Sprint("link ", a.Index, a.Name, l.Type(), a.HardwareAddr, a.MTU, a.MasterIndex, a.NetNsID, a.ParentIndex, a.RawFlags&unix.IFF_UP, a.AltNames)
	}), err
}

func (n *Namespace) addressLines() ([]string, error) {
	addrs, err := Dump(func() ([]netlink.Addr, error) { return n.Netlink.AddrList(nil, netlink.FAMILY_V4) })
	return each(addrs, func(a netlink.Addr) string {
		return fmt.Sprint("address ", a.LinkIndex, a.IPNet, a.Peer, a.Broadcast, a.Scope, a.Flags)
	}), err
}

func (n *Namespace) routeLines() ([]string, error) {
	routes, err := Dump(func() ([]netlink.Route, error) {
		return n.Netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	})
	return each(routes, func(r netlink.Route) string {
		r.Flags &= unix.RTNH_F_ONLINK // that it is dead is its link's state
		return "route " + r.String()
	}), err
}

func (n *Namespace) ruleLines() ([]string, error) {
	rules, err := Dump(func() ([]netlink.Rule, error) { return n.Netlink.RuleList(netlink.FAMILY_V4) })
	return each(rules, func(r netlink.Rule) string { return r.String() }), err
}

func (n *Namespace) neighbourLines() ([]string, error) {
	entries, err := Dump(func() ([]netlink.Neigh, error) { return n.Netlink.NeighList(0, netlink.FAMILY_V4) })
	entries = slices.DeleteFunc(entries, func(e netlink.Neigh) bool { return e.State&netlink.NUD_PERMANENT == 0 })
	return each(entries, func(e netlink.Neigh) string {
		return fmt.Sprint("neighbour ", e.LinkIndex, e.IP, e.HardwareAddr, e.Flags)
	}), err
}

// settingLines are IPv4's settings, for all and for each device, that decide whom the
// kernel answers, believes and forwards for. There are fifty a device: to read all of
// them would take most of the time.
func (n *Namespace) settingLines() ([]string, error) {
	var lines []string
	err := n.where(func() error {
		for dir, names := range map[string][]string{
			"net/ipv4/conf": {
				"forwarding", "rp_filter", "proxy_arp", "proxy_arp_pvlan", "route_localnet", "accept_local",
				"arp_ignore", "arp_announce", "arp_filter", "arp_accept", "src_valid_mark", "promote_secondaries",
			},
			"net/ipv4/neigh": {"proxy_delay", "proxy_qlen"},
			"net":            {"bridge/bridge-nf-call-iptables"},
		} {
			paths := []string{SysctlPath(dir)}
			if dir != "net" {
				devices, err := os.ReadDir(paths[0])
				if err != nil {
					return err
				}
				paths = nil
				for _, d := range devices {
					paths = append(paths, SysctlPath(dir)+"/"+d.Name())
				}
			}
			for _, path := range paths {
				for _, name := range names {
					value, err := os.ReadFile(path + "/" + name)
					if err != nil && !errors.Is(err, fs.ErrNotExist) {
						return err
					}
					lines = append(lines, path+"/"+name+"="+string(value))
				}
			}
		}
		return nil
	})
	return lines, err
}

func each[T any](items []T, line func(T) string) []string {
	lines := make([]string, len(items))
	for i, item := range items {
		lines[i] = line(item)
	}
	return lines
}

// Generation is the number that the kernel raises with every change of the
// namespace's nftables ruleset, that of iptables-nft among it.
func (f *Firewall) Generation() (generation uint32, err error) {
	err = f.withNft(func(n *nft) error {
		generation, err = n.generation()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read the generation of the nftables ruleset: %w", err)
	}
	return generation, nil
}
