package op

import (
	"net/netip"
	"reflect"
	"testing"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

func ownTable(saddr string) (NftTableAdd, NftChainAdd, NftRuleAdd) {
	const table = "netlab-proxyarp"
	return NftTableAdd{Family: "ip", Table: table},
		NftChainAdd{
			Family: "ip", Table: table, Chain: "postrouting",
			Type: "nat", Hook: "postrouting", Priority: 100, Policy: "accept",
		},
		NftRuleAdd{
			Family: "ip", Table: table, Chain: "postrouting",
			Saddr: netip.MustParsePrefix(saddr), Comment: "netlab:proxyarp",
		}
}

func TestNft(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newFirewallBench(t, true)
	b.shell("iptables -t nat -A POSTROUTING -s 9.9.9.0/24 -j MASQUERADE")
	before := b.dump()
	for _, saddr := range []string{
		"1.1.1.2/24", "1.1.1.2/32", "10.0.0.0/8", "1.1.1.128/25", "0.0.0.0/0",
	} {
		table, chain, rule := ownTable(saddr)
		rule.Drop = saddr == "10.0.0.0/8"
		b.mismatches(table, chain, rule)
		undo := b.inverses(table, chain, rule)
		want := []lab.Op{NftRuleDel(rule), NftChainDel(chain), NftTableDel(table)}
		if !reflect.DeepEqual(undo, want) {
			t.Errorf("the inverse is %#v, want %#v", undo, want)
		}
		after := b.dump()
		b.apply(undo...)
		b.is(before, "after the undo of "+saddr)
		b.refuses(lab.ErrGone, undo...)
		b.types(table, chain, rule)
		b.is(after, "after the printed commands for "+saddr)
		if err := rule.Verify(b.k); err != nil {
			t.Error(err)
		}
		b.types(undo...)
		b.is(before, "after the undo's printed commands for "+saddr)
	}
}

func TestNftVerify(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newFirewallBench(t, true)
	table, chain, rule := ownTable("1.1.1.0/24")
	undo := b.inverses(table, chain, rule)
	b.mismatches(undo...)
	b.mismatches(
		NftTableAdd{Family: "ip6", Table: table.Table}, NftTableAdd{Family: "ip", Table: "netlab"},
	)
	for _, change := range []func(*NftChainAdd){
		func(c *NftChainAdd) { c.Family = "inet" },
		func(c *NftChainAdd) { c.Table = "netlab" },
		func(c *NftChainAdd) { c.Chain = "prerouting" },
		func(c *NftChainAdd) { c.Type = "filter" },
		func(c *NftChainAdd) { c.Hook = "prerouting" },
		func(c *NftChainAdd) { c.Priority = 0 },
		func(c *NftChainAdd) { c.Policy = "drop" },
	} {
		other := chain
		change(&other)
		b.mismatches(other)
	}
	for _, change := range []func(*NftRuleAdd){
		func(r *NftRuleAdd) { r.Table = "netlab" },
		func(r *NftRuleAdd) { r.Chain = "prerouting" },
		func(r *NftRuleAdd) { r.Saddr = netip.MustParsePrefix("1.1.1.0/25") },
		func(r *NftRuleAdd) { r.Saddr = netip.MustParsePrefix("1.1.0.0/16") },
		func(r *NftRuleAdd) { r.Comment = "netlab:proxyarp2" },
	} {
		other := rule
		change(&other)
		b.mismatches(other)
	}
	b.shell("nft add table ip netlab-proxyarp '{ flags dormant; }'")
	b.mismatches(table)
	b.shell("nft add table ip netlab-proxyarp") // awake again
	b.shell("nft flush chain ip netlab-proxyarp postrouting; nft add rule ip netlab-proxyarp postrouting ip saddr 1.1.1.0/24 masquerade comment '\"netlab:proxyarp\"'")
	b.mismatches(rule) // it doesn't count
	b.refuses(lab.ErrChanged, undo[0])
}

func TestNftForeign(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newFirewallBench(t, true)
	table, chain, rule := ownTable("1.1.1.0/24")
	undo := b.inverses(table, chain, rule)
	b.shell("nft add rule ip netlab-proxyarp postrouting ip saddr 9.9.9.0/24 counter masquerade")
	b.apply(undo[0])
	b.refuses(lab.ErrInUse, undo[1:]...)
	b.shell("nft flush chain ip netlab-proxyarp postrouting; nft add chain ip netlab-proxyarp theirs")
	b.apply(undo[1])
	b.refuses(lab.ErrInUse, undo[2])
	b.shell("nft delete chain ip netlab-proxyarp theirs")
	b.apply(undo[2])
}

func TestNftRefused(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newFirewallBench(t, true)
	table, chain, rule := ownTable("1.1.1.0/24")
	before := b.dump()
	for _, o := range []lab.Op{
		chain, rule, // in no table
		NftTableAdd{Family: "ipx", Table: "x"},
		NftRuleAdd{Family: "ip", Table: "x", Chain: "x", Comment: "x"},
		NftRuleAdd{Family: "ip", Table: "x", Chain: "x", Saddr: rule.Saddr},
		NftRuleAdd{Family: "ip", Table: "x", Chain: "x", Saddr: rule.Saddr, Comment: `a "b"`},
		NftRuleAdd{Family: "inet", Table: "x", Chain: "x", Saddr: rule.Saddr, Comment: "x"},
	} {
		if err := o.Apply(b.k); err == nil {
			t.Errorf("%#v was applied", o)
		}
	}
	b.is(before, "after refusals")
	b.apply(table)
	b.refuses(lab.ErrTaken, table)
	b.apply(chain, rule) // the connection still works
}
