package doctor

import (
	"cmp"
	"errors"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// Thing is something that somebody with the rights for it sets up on a host by one
// command, and another takes away.
type Thing struct {
	// What names it, such as "link veth" or "sysctl net.ipv4.ip_forward", and Is says
	// how it is; where there can be only one way, that is empty.
	What string `json:"what"`
	Is   string `json:"is,omitempty"`
	// Back brings it back to how it is, Away takes it away. Either may be empty: no
	// single command does it.
	Back lab.Command `json:"back,omitempty"`
	Away lab.Command `json:"away,omitempty"`
	// With is another thing that goes with this one, as the other end of a cable does.
	With string `json:"with,omitempty"`
	// Of: how another thing is; Back sets it while that is there, and it goes with that.
	Of string `json:"of,omitempty"`
	// By are things that bring this one back as soon as they are as they were.
	By []string `json:"by,omitempty"`
}

// Standing lists what stands on the host, outside of the other namespaces: named
// namespaces, links and of each whether it is up, its MTU and its bridge, addresses, of
// IPv6 those that stay and are not link-local, IPv4 routes, policy rules and permanent
// neighbours, the settings that kernel.Digest looks at, and the firewall: the tables of
// nftables, in those of ip and inet the chains and rules, and the built-in chains of
// iptables-legacy. The kernel's own routes to the subnets of addresses are there, so
// that they can be missed.
func Standing(k *kernel.Kernel) ([]Thing, error) {
	host, err := k.Namespace(kernel.Host)
	if err != nil {
		return nil, err
	}
	var things []Thing
	for _, name := range kernel.NetnsNames("/") {
		things = append(things, thing("netns "+name, lab.Command{"ip", "netns", "del", name}))
	}
	links, err := kernel.Dump(host.Netlink.LinkList)
	if err != nil {
		return nil, err
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
	}
	for _, l := range links {
		a := l.Attrs()
		t := thing("link "+a.Name, lab.IP("", "link", "del", a.Name))
		if l.Type() == "veth" && a.NetNsID < 0 && names[a.ParentIndex] != "" {
			t.With = "link " + names[a.ParentIndex]
		}
		if a.Name != "lo" {
			things = append(things, t)
		}
	}
	for _, l := range links {
		things = append(things, aboutLink(l.Attrs(), names)...)
	}
	for _, read := range []func(*kernel.Namespace, map[int]string) ([]Thing, error){readAddresses, readRoutes, readPolicyRules, readPermanent} {
		some, err := read(host, names)
		if err != nil {
			return nil, err
		}
		things = append(things, some...)
	}
	settings, err := host.Settings()
	if err != nil {
		return nil, err
	}
	for key, value := range settings {
		name := strings.ReplaceAll(key, "/", ".")
		if strings.Contains(key, ".") { // as sysctl takes it, too
			name = key
		}
		things = append(things, Thing{What: "sysctl " + name, Is: value, Back: lab.Command{"sysctl", "-w", name + "=" + value}})
	}
	walls, err := readFirewall(k.Firewall())
	return append(things, walls...), err
}

func thing(what string, away lab.Command) Thing { return Thing{What: what, Away: away} }

// worded is a thing that the same words add and delete.
func worded(what []string, add, del lab.Command) Thing {
	words := strings.Join(what, " ")
	return Thing{What: words, Back: slices.Concat(add, what[1:]), Away: slices.Concat(del, what[1:])}
}

func readAddresses(host *kernel.Namespace, names map[int]string) ([]Thing, error) {
	all, err := kernel.Dump(func() ([]netlink.Addr, error) { return host.Netlink.AddrList(nil, netlink.FAMILY_ALL) })
	var things []Thing
	for _, a := range all {
		six := a.IP.To4() == nil
		if six && (a.Flags&unix.IFA_F_PERMANENT == 0 || a.IP.IsLinkLocalUnicast() || a.IP.IsLoopback()) {
			continue
		}
		t := worded([]string{"address", a.IPNet.String(), "dev", names[a.LinkIndex]}, lab.IP("", "addr", "add"), lab.IP("", "addr", "del"))
		if a.Broadcast != nil {
			t.Back = append(t.Back, "brd", a.Broadcast.String())
		}
		things = append(things, t)
	}
	return things, err
}

// aboutLink are the ways in which a link can be set that a person notices first.
func aboutLink(a *netlink.LinkAttrs, names map[int]string) []Thing {
	link := "link " + a.Name
	set := func(field, is string, words ...string) Thing {
		return Thing{What: link + " " + field, Is: is, Back: lab.IP("", slices.Concat([]string{"link", "set", a.Name}, words)...), Of: link}
	}
	state := "down"
	if a.Flags&net.FlagUp != 0 {
		state = "up"
	}
	mtu := strconv.Itoa(a.MTU)
	master := set("master", "none", "nomaster")
	if a.MasterIndex != 0 {
		master = set("master", names[a.MasterIndex], "master", names[a.MasterIndex])
	}
	return []Thing{set("mtu", mtu, "mtu", mtu), master, set("state", state, state)}
}

func readRoutes(host *kernel.Namespace, names map[int]string) ([]Thing, error) {
	all, err := kernel.Dump(func() ([]netlink.Route, error) {
		return host.Netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	})
	slices.SortStableFunc(all, func(a, b netlink.Route) int { // gateways are reached by the others
		return cmp.Compare(len(a.Gw)+len(a.MultiPath), len(b.Gw)+len(b.MultiPath))
	})
	var things []Thing
	for _, r := range all {
		own := r.Protocol == unix.RTPROT_KERNEL
		if own && (r.Table != unix.RT_TABLE_MAIN || r.Type != unix.RTN_UNICAST || r.Dst == nil || r.Src == nil) {
			continue
		}
		words := []string{"route"}
		if r.Type != unix.RTN_UNICAST {
			words = append(words, iproute.RouteType(r.Type))
		}
		words = append(words, iproute.Dst(kernel.Prefix(r.Dst)))
		if r.Gw != nil {
			words = append(words, "via", r.Gw.String())
		}
		if r.LinkIndex != 0 {
			words = append(words, "dev", names[r.LinkIndex])
		}
		if r.Priority != 0 {
			words = append(words, "metric", strconv.Itoa(r.Priority))
		}
		if r.Table != unix.RT_TABLE_MAIN {
			words = append(words, "table", iproute.Table(r.Table))
		}
		if r.Flags&unix.RTNH_F_ONLINK != 0 {
			words = append(words, "onlink")
		}
		if r.Protocol != unix.RTPROT_BOOT && r.Protocol != unix.RTPROT_UNSPEC {
			words = append(words, "proto", iproute.Proto(int(r.Protocol)))
		}
		if own {
			words = append(words, "scope", iproute.Scope(r.Scope))
		}
		if r.Src != nil {
			words = append(words, "src", r.Src.String())
		}
		for _, hop := range r.MultiPath {
			words = append(words, "nexthop")
			if hop.Gw != nil {
				words = append(words, "via", hop.Gw.String())
			}
			words = append(words, "dev", names[hop.LinkIndex], "weight", strconv.Itoa(hop.Hops+1))
		}
		t := worded(words, lab.IP("", "route", "add"), lab.IP("", "route", "del"))
		if own { // goes and comes with its address
			length, _ := r.Dst.Mask.Size()
			t.Away = nil
			t.By = []string{
				"link " + names[r.LinkIndex] + " state",
				"address " + r.Src.String() + "/" + strconv.Itoa(length) + " dev " + names[r.LinkIndex],
			}
		}
		things = append(things, t)
	}
	return things, err
}

func readPolicyRules(host *kernel.Namespace, _ map[int]string) ([]Thing, error) {
	all, err := kernel.Dump(func() ([]netlink.Rule, error) { return host.Netlink.RuleList(netlink.FAMILY_V4) })
	var things []Thing
	for _, r := range all {
		things = append(things, thing(strings.TrimSpace(strings.TrimPrefix(r.String(), "ip ")), lab.IP("", "rule", "del", "pref", strconv.Itoa(max(0, r.Priority)))))
	}
	return things, err
}

func readPermanent(host *kernel.Namespace, names map[int]string) ([]Thing, error) {
	all, err := kernel.Dump(func() ([]netlink.Neigh, error) { return host.Netlink.NeighList(0, netlink.FAMILY_V4) })
	var things []Thing
	for _, n := range all {
		if n.State&netlink.NUD_PERMANENT == 0 {
			continue
		}
		at := []string{n.IP.String(), "dev", names[n.LinkIndex]}
		things = append(things, Thing{
			What: "neigh " + strings.Join(at, " "), Is: n.HardwareAddr.String(),
			Back: lab.IP("", append([]string{"neigh", "replace", at[0], "lladdr", n.HardwareAddr.String(), "nud", "permanent"}, at[1:]...)...),
			Away: lab.IP("", append([]string{"neigh", "del"}, at...)...),
		})
	}
	return things, err
}

// readFirewall lists tables and what is in them: the rules by their handles.
func readFirewall(f *kernel.Firewall) ([]Thing, error) {
	tables, err := f.NftTables()
	if err != nil {
		return nil, err
	}
	var things []Thing
	for _, t := range tables {
		if family := familyOf(t); family != "" {
			things = append(things, thing("table "+family+" "+t.Name, lab.Command{"nft", "delete", "table", family, t.Name}))
		}
	}
	chains, err := f.NftChains()
	if err != nil {
		return nil, err
	}
	for _, c := range chains {
		family := kernel.FamilyOf(c)
		if family == "" {
			continue
		}
		table := family + " " + c.Table.Name
		chain := Thing{What: "chain " + table + " " + c.Name, Away: lab.Command{"nft", "delete", "chain", family, c.Table.Name, c.Name}, Of: "table " + table}
		if c.Policy != nil {
			chain.Is = map[nftables.ChainPolicy]string{nftables.ChainPolicyAccept: "accept", nftables.ChainPolicyDrop: "drop"}[*c.Policy]
			chain.Back = lab.Command{"nft", "chain", family, c.Table.Name, c.Name, "{ policy " + chain.Is + "; }"}
		}
		things = append(things, chain)
		rules, err := f.NftRules(family, c.Table.Name, c.Name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, r := range rules {
			handle := strconv.FormatUint(r.Handle, 10)
			things = append(things, thing("rule "+table+" "+c.Name+" handle "+handle,
				lab.Command{"nft", "delete", "rule", family, c.Table.Name, c.Name, "handle", handle}))
		}
	}
	legacy, err := legacyThings(f)
	return append(things, legacy...), err
}

// familyOf is a table's family as nft names it.
func familyOf(t *nftables.Table) string {
	return map[nftables.TableFamily]string{
		nftables.TableFamilyIPv4: "ip", nftables.TableFamilyIPv6: "ip6", nftables.TableFamilyINet: "inet",
		nftables.TableFamilyARP: "arp", nftables.TableFamilyBridge: "bridge", nftables.TableFamilyNetdev: "netdev",
	}[t.Family]
}

func legacyThings(f *kernel.Firewall) ([]Thing, error) {
	var things []Thing
	for _, c := range kernel.LegacyChains() {
		lines, err := f.LegacyRules(c.Table, c.Name)
		if err != nil {
			return nil, err
		}
		program := lab.Command{nameOf(f, false), "-t", c.Table}
		for _, l := range lines {
			words := kernel.SplitRule(l)
			switch {
			case len(words) == 3 && words[0] == "-P":
				things = append(things, Thing{What: "policy of " + c.Table + " " + c.Name, Is: words[2], Back: slices.Concat(program, words)})
			case len(words) > 1 && words[0] == "-A":
				things = append(things, Thing{
					What: "rule of " + c.Table + " " + l, Back: slices.Concat(program, words),
					Away: slices.Concat(program, lab.Command{"-D"}, words[1:]),
				})
			}
		}
	}
	return things, nil
}
