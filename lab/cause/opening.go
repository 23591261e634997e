package cause

import (
	"path/filepath"
	"slices"
	"strings"

	"netlab/lab"
)

// opening is the command that lets the packet through: an accept before all
// else in the base chain, by the pod's device. Where the hook doesn't have
// that, it is the one that shows the chain.
func (f *finder) opening(p packet, b barrier, w *walk) lab.Command {
	device := p.in
	if p.reply {
		device = p.out
	}
	program := f.iptables(b)
	switch {
	case !device.there() || device.Name != f.HostDev:
		return f.showing(b)
	case program != "":
		return f.openingByIPTables(program, p, b, w)
	case p.reply:
		return lab.Command{"nft", "insert", "rule", b.family, b.table, b.base,
			"oifname", `"` + f.HostDev + `"`, "ct", "state", "established,related", "accept"}
	}
	return lab.Command{"nft", "insert", "rule", b.family, b.table, b.base, "iifname", `"` + f.HostDev + `"`, "accept"}
}

func (f *finder) openingByIPTables(program string, p packet, b barrier, w *walk) lab.Command {
	c := append(lab.Command{program}, inTable(b)...)
	chain := b.base
	if rules, err := w.rules(b.base); err == nil && len(rules) > 0 && rules[0].to == "DOCKER-USER" {
		chain = "DOCKER-USER" // Docker puts itself before what stands in FORWARD
	}
	if p.reply {
		return append(c, "-I", chain, "-o", f.HostDev, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT")
	}
	return append(c, "-I", chain, "-i", f.HostDev, "-j", "ACCEPT")
}

// showing is the command that shows a chain.
func (f *finder) showing(b barrier) lab.Command {
	if program := f.iptables(b); program != "" {
		return append(append(lab.Command{program}, inTable(b)...), "-S", b.base)
	}
	return lab.Command{"nft", "list", "chain", b.family, b.table, b.base}
}

// inTable is iptables' option for the table, which may be left out for filter.
func inTable(b barrier) []string {
	if b.table == "filter" {
		return nil
	}
	return []string{"-t", b.table}
}

// iptables is the program that shows the chain as one of its own, or empty.
func (f *finder) iptables(b barrier) string {
	tables := []string{"filter", "mangle", "raw", "security", "nat"}
	if b.family != "ip" || !slices.Contains(tables, b.table) || strings.ToUpper(b.base) != b.base {
		return ""
	}
	nft := b.backend == "nftables"
	if t, err := f.firewall.IPTables(); err == nil && t.NFT == nft {
		return "iptables"
	}
	t, err := f.firewall.IPTablesOf(nft)
	if err != nil {
		return ""
	}
	return filepath.Base(t.Path)
}
