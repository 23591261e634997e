package op

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
)

func masquerade(nft bool) IptablesAppend {
	return IptablesAppend{
		Table: "nat", Chain: "POSTROUTING", Match: []string{"-s", "1.1.1.0/24"},
		Comment: "netlab:proxyarp", Jump: "MASQUERADE", NFT: nft,
	}
}

func TestIptablesNFT(t *testing.T) {
	if kerneltest.Isolate(t) {
		testIptables(t, true)
	}
}

func TestIptablesLegacy(t *testing.T) {
	if kerneltest.Isolate(t) {
		testIptables(t, false)
	}
}

// testIptables goes through every op that one rule brings about.
func testIptables(t *testing.T, nft bool) {
	b := newFirewallBench(t, nft)
	o := masquerade(nft)
	before := b.dump()
	b.mismatches(o)

	undo := b.inverses(o)
	if !reflect.DeepEqual(undo, o.Undo()) {
		t.Errorf("on an empty firewall the inverse is %#v, and Undo says %#v", undo, o.Undo())
	}
	after := b.dump()
	if !strings.Contains(after, `--comment "netlab:proxyarp"`) && !strings.Contains(after, "--comment netlab:proxyarp") {
		t.Errorf("no comment in\n%s", after)
	}
	changed := map[string]func(*IptablesAppend){
		"table":   func(o *IptablesAppend) { o.Table = "filter" },
		"chain":   func(o *IptablesAppend) { o.Chain = "OUTPUT" },
		"no such": func(o *IptablesAppend) { o.Chain = "NETLAB" },
		"match":   func(o *IptablesAppend) { o.Match = []string{"-s", "1.1.1.0/25"} },
		"more":    func(o *IptablesAppend) { o.Match = []string{"-s", "1.1.1.0/24", "-o", "up0"} },
		"comment": func(o *IptablesAppend) { o.Comment = "netlab:proxyarp2" },
		"jump":    func(o *IptablesAppend) { o.Jump = "ACCEPT" },
	}
	for field, change := range changed {
		other := o
		change(&other)
		if other.Table == "filter" { // where MASQUERADE can't be
			other.Jump = "ACCEPT"
		}
		b.mismatches(other)
		other.Comment = ""
		if field != "comment" {
			b.mismatches(other)
		} else if err := other.Verify(b.k); err != nil {
			t.Errorf("with any comment: %v", err)
		}
	}
	b.mismatches(undo...)
	b.is(after, "after reading only")

	b.apply(undo...)
	b.is(before, "after the undo")
	b.refuses(lab.ErrGone, undo...)

	b.types(o)
	b.is(after, "after the printed command")
	b.types(undo...)
	b.is(before, "after the undo's printed commands")

	// By hand, as the article has it: without a comment.
	b.shell("iptables -t nat -A POSTROUTING -s 1.1.1.7/24 -j MASQUERADE")
	b.mismatches(o)
	byHand := o
	byHand.Comment, byHand.Match = "", []string{"--source", "1.1.1.1/24"}
	if err := byHand.Verify(b.k); err != nil {
		t.Error(err)
	}
}

func TestIptablesForeignRule(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	for _, nft := range []bool{true, false} {
		b := newFirewallBench(t, nft)
		o := masquerade(nft)
		const foreign = "iptables -t nat -A POSTROUTING -s 9.9.9.0/24 -m comment --comment netlab:proxyarp -j MASQUERADE"

		b.shell(foreign) // before
		before := b.dump()
		undo := b.inverses(o)
		if want := []lab.Op{IptablesDelete(o)}; !reflect.DeepEqual(undo, want) {
			t.Errorf("where the chain is there: %#v, want %#v", undo, want)
		}
		b.apply(undo...)
		b.is(before, "after the undo beside a foreign rule")
		b.shell("iptables -t nat -F")
		if !nft {
			continue
		}

		b.shell("iptables -t nat -X; nft delete table ip nat")
		undo = b.inverses(o)
		b.shell(foreign) // in the meantime
		b.apply(undo[0])
		b.refuses(lab.ErrInUse, undo[1:]...)
		b.is(before, "with a foreign rule that came in the meantime")
	}
}

func TestIptablesPrune(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newFirewallBench(t, true)
	o := masquerade(true)
	b.shell("iptables -t nat -A PREROUTING -j ACCEPT")
	before := b.dump()
	undo := b.inverses(o)
	if want := o.undo(true, false); !reflect.DeepEqual(undo, want) {
		t.Errorf("where the table is there: %#v, want %#v", undo, want)
	}
	b.apply(undo...)
	b.is(before, "after the undo beside a foreign chain")

	table := NftTableDel{Family: "ip", Table: "nat"}
	b.refuses(lab.ErrInUse, table) // a chain
	b.shell("nft flush ruleset; nft add table ip nat; nft add set ip nat s '{ type ipv4_addr; }'")
	b.refuses(lab.ErrInUse, table) // a set
	b.shell("nft flush ruleset; nft add table ip nat; nft add chain ip nat a; nft add chain ip nat b; nft add rule ip nat b jump a")
	b.refuses(lab.ErrInUse, IptablesDelChain{Table: "nat", Chain: "a"}, table) // a jump to it
	b.shell("nft flush ruleset; iptables -P FORWARD DROP")
	b.refuses(lab.ErrInUse, IptablesDelChain{Table: "filter", Chain: "FORWARD"}) // a policy
	b.shell("iptables -P FORWARD ACCEPT")
	b.apply(IptablesDelChain{Table: "filter", Chain: "FORWARD"}, NftTableDel{Family: "ip", Table: "filter"})
	b.refuses(lab.ErrGone, IptablesDelChain{Table: "filter", Chain: "FORWARD"}, NftTableDel{Family: "ip", Table: "filter"})
}

// Two rules of one lab have one comment, and each is its own.
func TestIptablesSameComment(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newFirewallBench(t, true)
	first, second := masquerade(true), masquerade(true)
	second.Match = []string{"-s", "2.2.2.0/24"}
	before := b.dump()
	undo := b.inverses(first, second)
	if _, ok := undo[0].(IptablesDelete); !ok || len(undo) != 4 {
		t.Fatalf("%#v", undo)
	}
	b.apply(undo[0])
	b.refuses(lab.ErrGone, undo[0])
	if err := first.Verify(b.k); err != nil {
		t.Error(err)
	}
	b.apply(undo[1:]...)
	b.is(before, "after the undo")
}

// What iptables doesn't make itself, a rule's undo doesn't take away.
func TestIptablesOwnChain(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	b := newFirewallBench(t, true)
	b.shell("iptables -N DOCKER-USER")
	before := b.dump()
	o := IptablesAppend{
		Table: "filter", Chain: "DOCKER-USER", Jump: "ACCEPT", Comment: `two "words"`, NFT: true,
		Match: []string{"-o", "veth", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"},
	}
	undo := b.inverses(o)
	after := b.dump()
	b.apply(undo...)
	b.is(before, "after the undo")
	b.types(o)
	b.is(after, "after the printed command")
	anyComment := o
	anyComment.Comment = ""
	b.mismatches(IptablesAppend{Table: "filter", Chain: "DOCKER-USER", Jump: "ACCEPT", NFT: true})
	if err := anyComment.Verify(b.k); err != nil {
		t.Error(err)
	}
}

func TestSharedFirewall(t *testing.T) {
	o := masquerade(true)
	for _, s := range []lab.Sharer{o, o.Undo()[1].(lab.Sharer), o.Undo()[2].(lab.Sharer)} {
		if s.Shared() != "nft ip nat" {
			t.Errorf("%s is shared as %q", s.Command(), s.Shared())
		}
	}
	if s := masquerade(false).Shared(); s != "" {
		t.Errorf("the legacy rule is shared as %q", s)
	}
	if _, shared := o.Undo()[0].(lab.Sharer); shared {
		t.Error("a rule's deletion is shared")
	}
	if undo := masquerade(false).Undo(); len(undo) != 1 {
		t.Errorf("the legacy rule's undo is %#v", undo)
	}
}

func TestParseRule(t *testing.T) {
	same := [][2]string{
		{`-s 1.1.1.2/24 -j MASQUERADE`, `-s 1.1.1.0/24 -j MASQUERADE`},
		{`--jump ACCEPT --src 1.1.1.2`, `-s 1.1.1.2/32 -m comment --comment "-s \"x\" \\ y" -j ACCEPT`},
		{`! -i veth -d 1.2.3.4 -j DROP`, `-d 1.2.3.4/32 ! -i veth -j DROP`},
	}
	for _, pair := range same {
		a, b := parseRule(kernel.SplitRule(pair[0])), parseRule(kernel.SplitRule(pair[1]))
		if !a.equal(b) {
			t.Errorf("%q is %q, and %q is %q", pair[0], a.options, pair[1], b.options)
		}
	}
	different := [][2]string{
		{`-s 1.1.1.0/24 -j MASQUERADE`, `! -s 1.1.1.0/24 -j MASQUERADE`},
		{`-s 1.1.1.0/24 -j MASQUERADE`, `-d 1.1.1.0/24 -j MASQUERADE`},
		{`-i a -j ACCEPT`, `-i a -o b -j ACCEPT`},
	}
	for _, pair := range different {
		if parseRule(kernel.SplitRule(pair[0])).equal(parseRule(kernel.SplitRule(pair[1]))) {
			t.Errorf("%q equals %q", pair[0], pair[1])
		}
	}
	words := kernel.SplitRule(`-A X -m comment --comment "a \"q\" \\ b\'x" -j Y`)
	if want := []string{"-A", "X", "-m", "comment", "--comment", `a "q" \ b'x`, "-j", "Y"}; !slices.Equal(words, want) {
		t.Errorf("%q, want %q", words, want)
	}
}
