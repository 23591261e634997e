// Package glance reads what a host's network is like, in a few milliseconds: for
// tests that compare it thousands of times. kerneltest.Snapshot sees more, by
// other programs, and takes a hundred times as long.
package glance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// Host is the state of the host and of all named namespaces: devices, addresses,
// routes, rules, permanent neighbours, settings and the nftables ruleset. Of the
// legacy iptables it knows nothing.
func Host() (string, error) {
	k := kernel.Open()
	defer k.Close()
	names := []string{kernel.Host}
	named, err := os.ReadDir(kernel.NetnsDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	for _, n := range named {
		names = append(names, n.Name())
	}
	var lines []string
	for _, name := range names {
		n, err := k.Namespace(name)
		if errors.Is(err, fs.ErrNotExist) { // a file that is none
			lines = append(lines, "no namespace: "+name)
			continue
		}
		if err != nil {
			return "", err
		}
		its, err := namespace(n)
		if err != nil {
			return "", err
		}
		for _, l := range its {
			lines = append(lines, n.String()+": "+l)
		}
	}
	rules, err := exec.Command("nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("nft: %w: %s", err, rules)
	}
	lines = append(lines, regexp.MustCompile(`packets \d+ bytes \d+`).ReplaceAllString(string(rules), "counter"))
	return strings.Join(lines, "\n"), nil
}

func namespace(n *kernel.Namespace) ([]string, error) {
	links, err := kernel.Dump(n.Netlink.LinkList)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, l := range links {
		a := l.Attrs()
		lines = append(lines, fmt.Sprintf("link %d %s %s %v mtu %d master %d peer %d/%d flags %#x altnames %v alias %q",
			a.Index, a.Name, l.Type(), a.HardwareAddr, a.MTU, a.MasterIndex, a.NetNsID, a.ParentIndex, a.RawFlags&^(unix.IFF_RUNNING|unix.IFF_LOWER_UP), a.AltNames, a.Alias))
		addrs, err := kernel.Dump(func() ([]netlink.Addr, error) { return n.Netlink.AddrList(l, netlink.FAMILY_ALL) })
		if err != nil {
			return nil, err
		}
		for _, addr := range addrs {
			lines = append(lines, fmt.Sprintf("addr %s %v peer %v brd %v scope %d flags %#x label %q", a.Name, addr.IPNet, addr.Peer, addr.Broadcast, addr.Scope, addr.Flags, addr.Label))
		}
	}
	routes, err := kernel.Dump(func() ([]netlink.Route, error) {
		return n.Netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return nil, err
	}
	for _, r := range routes {
		text, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		lines = append(lines, "route "+string(text))
	}
	policy, err := kernel.Dump(func() ([]netlink.Rule, error) { return n.Netlink.RuleList(netlink.FAMILY_V4) })
	if err != nil {
		return nil, err
	}
	for _, r := range policy {
		lines = append(lines, "rule "+r.String())
	}
	neighbours, err := kernel.Dump(func() ([]netlink.Neigh, error) { return n.Netlink.NeighList(0, netlink.FAMILY_V4) })
	if err != nil {
		return nil, err
	}
	for _, e := range neighbours {
		if e.State&netlink.NUD_PERMANENT != 0 {
			lines = append(lines, fmt.Sprintf("neigh %d %v %v", e.LinkIndex, e.IP, e.HardwareAddr))
		}
	}
	settings, err := settings(n)
	return append(lines, settings...), err
}

// settings are the sysctls that labs change, or that change along with them.
func settings(n *kernel.Namespace) ([]string, error) {
	keys := []string{"net/ipv4/ip_forward"}
	err := n.Do(func() error {
		for _, pattern := range []string{"net/ipv4/conf/*/*", "net/ipv4/neigh/*/*", "net/ipv6/conf/*/disable_ipv6"} {
			found, err := filepath.Glob(kernel.SysctlPath(pattern))
			if err != nil {
				return err
			}
			for _, path := range found {
				keys = append(keys, strings.TrimPrefix(path, kernel.SysctlPath("")))
			}
		}
		for i, key := range keys {
			value, err := os.ReadFile(kernel.SysctlPath(key))
			if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
				return err
			}
			keys[i] += "=" + strings.TrimSpace(string(value))
		}
		return nil
	})
	slices.Sort(keys)
	return keys, err
}
