package op

import (
	"strings"

	"netlab/lab"
	"netlab/lab/iproute"
)

// Script: a sysctl of the whole host is put back from what it was, with those
// that the kernel changes along. The file's first line is the key itself, so
// that what it changes along is put right after it. A device's own sysctls go
// with the device.
func (o SysctlSet) Script() (save, undo []string) {
	if o.Shared() == "" {
		return nil, nil
	}
	keys := o.Key
	if o.Key == ipForward || o.Key == allForwarding {
		keys += " net/ipv4/conf/all/accept_redirects net/ipv4/conf/*/forwarding"
	}
	return []string{`(cd /proc/sys && grep -H . ` + keys + `) | sed 's/:/=/' >> "$was"/sysctl`},
		[]string{`sysctl -qe -p "$was"/sysctl`}
}

// Script: with the nft variant the first rule brings the table and the chain
// along; they go again if they came with it and are empty.
func (o IptablesAppend) Script() (save, undo []string) {
	undo = []string{IptablesDelete(o).Command().String()}
	if !o.NFT || !builtin(o.Chain) {
		return nil, undo
	}
	save = []string{`iptables-save | grep -q '^\*` + o.Table + `' || touch "$was"/no-` + o.Table}
	return save, append(undo,
		`if [ -e "$was"/no-`+o.Table+` ]; then`,
		`  `+IptablesDelChain{Table: o.Table, Chain: o.Chain}.Command().String(),
		`  nft list table ip `+o.Table+` | grep -q chain || nft delete table ip `+o.Table,
		`fi`)
}

// Script: the chain was there before.
func (o IptablesInsert) Script() (save, undo []string) {
	return nil, []string{IptablesDelete(o).Command().String()}
}

// Script: what the route says beyond the command is kept as `ip route` prints it,
// which `ip route add` reads.
func (o RouteDelAny) Script() (save, undo []string) {
	file := `"$was"/route-` + strings.ReplaceAll(iproute.Dst(o.Dst), "/", "-") + "-" + o.Dev
	show := lab.IP(o.NS, "route", "show", iproute.Dst(o.Dst), "dev", o.Dev)
	add := lab.IP(o.NS, "route", "add")
	return []string{show.String() + " > " + file},
		[]string{add.String() + " $(cat " + file + ") dev " + o.Dev}
}
