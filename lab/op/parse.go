package op

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netlab/lab"
	"netlab/lab/kernel"
)

// ErrUnknownCommand: no op has a command like this one.
var ErrUnknownCommand = errors.New("no such change is known")

// Parse finds the op that a command stands for, so that a change can be written as
// people know it. The command must be written as that op's Command would be, word
// for word: the error names how. nft is what iptables is on this machine; see
// IptablesAppend. A few ops can't be told from their commands, and are not parsed:
// those that only undo, veth pairs and bridges.
func Parse(c lab.Command, nft bool) (lab.Op, error) {
	ns, words := within(c)
	var o lab.Op
	var err error
	switch at := func(i int) string { return word(words, i) }; {
	case at(0) == "sysctl" && at(1) == "-w":
		o = parseSysctl(ns, at(2))
	case at(0) == "iptables" && ns == "":
		o, err = parseIptables(words[1:], nft)
	case at(0) == "nft" && ns == "":
		o, err = parseNft(words[1:])
	case at(0) == "ip":
		o, err = parseIP(ns, words[1:])
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c, err)
	}
	if o == nil {
		return nil, fmt.Errorf("%s: %w", c, ErrUnknownCommand)
	}
	if !slices.Equal(o.Command(), c) {
		return nil, fmt.Errorf("%s: to be written as %s", c, o.Command())
	}
	return o, nil
}

// within takes off what names the namespace.
func within(c lab.Command) (ns string, words []string) {
	switch {
	case len(c) > 4 && slices.Equal(c[:3], lab.Command{"ip", "netns", "exec"}):
		return c[3], c[4:]
	case len(c) > 3 && c[0] == "ip" && c[1] == "-n":
		return c[2], append([]string{"ip"}, c[3:]...)
	}
	return "", c
}

func word(words []string, i int) string {
	if i < len(words) {
		return words[i]
	}
	return ""
}

// pairs reads words that come as a name and its value.
func pairs(words []string) map[string]string {
	p := map[string]string{}
	for i := 0; i+1 < len(words); i += 2 {
		p[words[i]] = words[i+1]
	}
	return p
}

func parseSysctl(ns, assignment string) lab.Op {
	name, value, ok := strings.Cut(assignment, "=")
	if !ok {
		return nil
	}
	if !strings.Contains(name, "/") {
		name = strings.ReplaceAll(name, ".", "/")
	}
	return SysctlSet{NS: ns, Key: name, Value: value}
}

func parseIP(ns string, words []string) (lab.Op, error) {
	switch object, verb, rest := word(words, 0), word(words, 1), words[min(2, len(words)):]; object + " " + verb {
	case "netns add":
		return NetnsAdd{Name: word(rest, 0)}, nil
	case "link set":
		return parseLinkSet(ns, rest)
	case "addr add", "addr del":
		prefix, err := netip.ParsePrefix(word(rest, 0))
		o := AddrAdd{NS: ns, Link: pairs(rest[min(1, len(rest)):])["dev"], Addr: prefix}
		if verb == "del" {
			return AddrDel(o), err
		}
		return o, err
	case "route add", "route del":
		return parseRoute(ns, verb, rest)
	case "neigh replace":
		addr, err := netip.ParseAddr(word(rest, 0))
		p := pairs(rest[min(1, len(rest)):])
		return NeighAdd{NS: ns, Dev: p["dev"], Addr: addr, MAC: p["lladdr"]}, err
	}
	return nil, nil
}

func parseLinkSet(ns string, words []string) (lab.Op, error) {
	name, value := word(words, 0), word(words, 2)
	switch word(words, 1) {
	case "up", "down":
		return LinkSetUp{NS: ns, Name: name, Down: words[1] == "down"}, nil
	case "nomaster":
		return LinkSetMaster{NS: ns, Name: name}, nil
	case "master":
		return LinkSetMaster{NS: ns, Name: name, Master: value}, nil
	case "address":
		return LinkSetAddress{NS: ns, Name: name, MAC: value}, nil
	case "mtu":
		mtu, err := strconv.Atoi(value)
		return LinkSetMTU{NS: ns, Name: name, MTU: mtu}, err
	}
	return nil, nil
}

// parseRoute takes a deletion that names nothing but destination and device for
// that of any such route, as the kernel does.
func parseRoute(ns, verb string, words []string) (lab.Op, error) {
	var o RouteAdd
	o.NS = ns
	if slices.Contains([]string{"local", "blackhole", "unreachable", "prohibit"}, word(words, 0)) {
		o.Type, words = words[0], words[1:]
	}
	var err error
	switch dst := word(words, 0); {
	case dst == "default":
		o.Dst = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	case strings.Contains(dst, "/"):
		o.Dst, err = netip.ParsePrefix(dst)
	default:
		var addr netip.Addr
		addr, err = netip.ParseAddr(dst)
		o.Dst = netip.PrefixFrom(addr, addr.BitLen())
	}
	if err != nil {
		return nil, err
	}
	rest := words[min(1, len(words)):]
	if i := slices.Index(rest, "onlink"); i >= 0 {
		o.Onlink, rest = true, slices.Delete(slices.Clone(rest), i, i+1)
	}
	p := pairs(rest)
	o.Dev, o.Scope, o.Proto = p["dev"], p["scope"], p["proto"]
	for name, into := range map[string]*netip.Addr{"via": &o.Via, "src": &o.Src} {
		if p[name] == "" {
			continue
		}
		if *into, err = netip.ParseAddr(p[name]); err != nil {
			return nil, err
		}
	}
	switch {
	case verb == "add":
		return o, nil
	case len(p) == 1 && o.Dev != "" && o.Type == "" && !o.Onlink:
		return RouteDelAny{NS: ns, Dst: o.Dst, Dev: o.Dev}, nil
	}
	return RouteDel(o), nil
}

func parseIptables(words []string, nft bool) (lab.Op, error) {
	if word(words, 0) == "-P" {
		return IptablesPolicy{Chain: word(words, 1), Policy: word(words, 2), NFT: nft}, nil
	}
	o := IptablesAppend{Table: filterTable, NFT: nft}
	if word(words, 0) == "-t" && len(words) > 1 {
		o.Table, words = words[1], words[2:]
	}
	verb := word(words, 0)
	o.Chain = word(words, 1)
	rest := words[min(2, len(words)):]
	jump := slices.Index(rest, "-j")
	if jump < 0 || jump != len(rest)-2 {
		return nil, errors.New("a rule ends with -j and its target")
	}
	o.Jump, rest = rest[jump+1], rest[:jump]
	if n := len(rest) - 4; n >= 0 && slices.Equal(rest[n:n+3], []string{"-m", "comment", "--comment"}) {
		o.Comment, rest = rest[n+3], rest[:n]
	}
	if len(rest) > 0 {
		o.Match = slices.Clone(rest)
	}
	switch verb {
	case "-A":
		return o, nil
	case "-I":
		return IptablesInsert(o), nil
	case "-D":
		return IptablesDelete(o), nil
	}
	return nil, nil
}

func parseNft(words []string) (lab.Op, error) {
	family, table, chain := word(words, 2), word(words, 3), word(words, 4)
	switch word(words, 0) + " " + word(words, 1) {
	case "add table":
		return NftTableAdd{Family: family, Table: table}, nil
	case "add chain":
		return parseNftChain(family, table, chain, word(words, 5))
	case "add rule":
		p := pairs(words[min(6, len(words)):]) // ip | saddr PREFIX, counter VERDICT, comment "TEXT"
		saddr, err := netip.ParsePrefix(p["saddr"])
		return NftRuleAdd{
			Family: family, Table: table, Chain: chain, Saddr: saddr,
			Drop: p["counter"] == "drop", Comment: strings.Trim(p["comment"], `"`),
		}, err
	}
	return nil, nil
}

// parseNftChain reads `{ type T hook H priority P; policy Q; }`.
func parseNftChain(family, table, chain, text string) (lab.Op, error) {
	p := pairs(strings.Fields(strings.NewReplacer("{", "", "}", "", ";", "").Replace(text)))
	o := NftChainAdd{Family: family, Table: table, Chain: chain, Type: p["type"], Hook: p["hook"], Policy: p["policy"]}
	switch p["priority"] {
	case "filter":
	case "srcnat":
		o.Priority = 100
	default:
		n, err := strconv.ParseInt(p["priority"], 10, 32)
		if err != nil {
			return nil, err
		}
		o.Priority = int32(n)
	}
	_, err := kernel.NftHook(o.Hook)
	return o, err
}
