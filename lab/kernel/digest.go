package kernel

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Aspect is a part of what people set in the kernel, by the iproute2 object, or the
// program, that sets it.
type Aspect string

// The aspects.
const (
	Names      Aspect = "netns"
	LinksSet   Aspect = "link"
	AddrsSet   Aspect = "addr"
	RoutesSet  Aspect = "route"
	RulesSet   Aspect = "rule"
	NeighsSet  Aspect = "neigh"
	SysctlsSet Aspect = "sysctl"
	WallsSet   Aspect = "firewall"
)

// Digest is short for what people set, aspect by aspect: of the host and of every named
// namespace the links, IPv4 addresses, routes, rules, permanent neighbours, the settings
// that decide whom the kernel answers, believes and forwards for, and the firewall. It is
// taken in a few milliseconds and changes nothing. While it is the same, so is all that.
// It knows nothing of what the kernel changes by itself, such as caches, carriers and
// counters; nor of IPv6, or of iptables-legacy's own chains. See Altered.
func (k *Kernel) Digest() (string, error) {
	sums := map[Aspect]hash.Hash{}
	add := func(a Aspect, lines ...string) {
		if sums[a] == nil {
			sums[a] = sha256.New()
		}
		slices.Sort(lines)
		fmt.Fprintf(sums[a], "%s\n", strings.Join(lines, "\n"))
	}
	for _, name := range append([]string{Host}, NetnsNames("/")...) {
		n, err := k.Namespace(name)
		if errors.Is(err, fs.ErrNotExist) { // a file that is none, or its end
			add(Names, fmt.Sprintf("no namespace %q", name))
			continue
		}
		if err != nil {
			return "", err
		}
		add(Names, fmt.Sprintf("%q", name))
		for _, part := range []struct {
			Aspect
			read func() ([]string, error)
		}{
			{LinksSet, n.linkLines}, {AddrsSet, n.addressLines}, {RoutesSet, n.routeLines}, {RulesSet, n.ruleLines},
			{NeighsSet, n.neighbourLines}, {SysctlsSet, n.settingLines}, {WallsSet, n.generationLine},
		} {
			lines, err := part.read()
			if err != nil {
				return "", fmt.Errorf("read what is set in %s: %w", n, err)
			}
			add(part.Aspect, lines...)
		}
	}
	for _, chain := range LegacyChains() {
		rules, err := k.Firewall().LegacyRules(chain.Table, chain.Name)
		if err != nil {
			return "", err
		}
		add(WallsSet, strings.Join(rules, "\n"))
	}
	var parts []string
	for _, a := range slices.Sorted(maps.Keys(sums)) {
		parts = append(parts, string(a)+"="+hex.EncodeToString(sums[a].Sum(nil)[:12]))
	}
	return strings.Join(parts, " "), nil
}

// Altered are the aspects in which two digests differ.
func Altered(was, is string) []Aspect {
	before, after := strings.Fields(was), strings.Fields(is)
	var altered []Aspect
	for _, part := range after {
		if !slices.Contains(before, part) {
			name, _, _ := strings.Cut(part, "=")
			altered = append(altered, Aspect(name))
		}
	}
	return altered
}

// generationLine stands for the nftables ruleset.
func (n *Namespace) generationLine() ([]string, error) {
	generation, err := n.Firewall().Generation()
	if err != nil {
		generation = 0 // a kernel without nftables has nothing of it
	}
	return []string{fmt.Sprint("nftables ", generation)}, nil
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

func (n *Namespace) settingLines() ([]string, error) {
	settings, err := n.Settings()
	var lines []string
	for key, value := range settings {
		lines = append(lines, key+"="+value)
	}
	return lines, err
}

// Settings are IPv4's, for all and for each device, that decide whom the kernel answers,
// believes and forwards for, each by its path below /proc/sys. There are fifty a device:
// to read all of them would take most of a Digest's time. ip_forward is not there: it is
// conf/all/forwarding.
func (n *Namespace) Settings() (map[string]string, error) {
	settings := map[string]string{}
	err := n.where(func() error {
		for dir, names := range map[string][]string{
			"net/ipv4/conf": {
				"forwarding", "rp_filter", "proxy_arp", "proxy_arp_pvlan", "route_localnet", "accept_local",
				"arp_ignore", "arp_announce", "arp_filter", "arp_accept", "src_valid_mark", "promote_secondaries",
			},
			"net/ipv4/neigh": {"proxy_delay", "proxy_qlen"},
			"net":            {"bridge/bridge-nf-call-iptables"},
		} {
			dirs := []string{dir}
			if dir != "net" {
				devices, err := os.ReadDir(SysctlPath(dir))
				if err != nil {
					return err
				}
				dirs = nil
				for _, d := range devices {
					dirs = append(dirs, dir+"/"+d.Name())
				}
			}
			for _, dir := range dirs {
				for _, name := range names {
					value, err := os.ReadFile(SysctlPath(dir + "/" + name))
					if errors.Is(err, fs.ErrNotExist) {
						continue
					}
					if err != nil {
						return err
					}
					settings[dir+"/"+name] = strings.TrimSpace(string(value))
				}
			}
		}
		return nil
	})
	return settings, err
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
