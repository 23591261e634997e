package op

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"netlab/lab"
	"netlab/lab/kernel/kerneltest"
)

func replies(nft bool) IptablesInsert {
	return IptablesInsert{
		Table: "filter", Chain: "DOCKER-USER", Jump: "ACCEPT", Comment: "netlab:x", NFT: nft,
		Match: []string{"-o", "veth", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"},
	}
}

func TestIptablesInsertComesBeforeWhatOthersHave(t *testing.T) {
	for name, nft := range map[string]bool{"nft": true, "legacy": false} {
		t.Run(name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			b := newFirewallBench(t, nft)
			b.shell("iptables -N DOCKER-USER; iptables -A DOCKER-USER -j DROP; iptables -A FORWARD -j DOCKER-USER; iptables -P FORWARD DROP")
			before := b.dump()
			out, in := replies(nft), replies(nft)
			in.Match = []string{"-i", "veth"}
			b.mismatches(out, in)

			undo := b.inverses(in, out)
			if want := []lab.Op{IptablesDelete(out), IptablesDelete(in)}; !reflect.DeepEqual(undo, want) {
				t.Errorf("the inverse is %#v, want %#v", undo, want)
			}
			after := b.dump()
			rules := b.shell("iptables -S DOCKER-USER")
			if first, last := strings.Index(rules, "-i veth"), strings.Index(rules, "-j DROP"); first < 0 || first > last {
				t.Errorf("it does not come first:\n%s", rules)
			}
			b.apply(undo...)
			b.is(before, "after the undo")
			b.refuses(lab.ErrGone, undo...)

			b.types(in, out)
			b.is(after, "after the printed commands")
			save, script := in.Script()
			if save != nil || strings.Join(script, ";") != in.Undo()[0].Command().String() {
				t.Errorf("a script undoes it by %q, and saves by %q", script, save)
			}
			b.types(undo...)
			b.is(before, "after the undo's printed commands")
		})
	}
}

// Where `iptables` is one variant and the rule belongs to the other, it is shown
// with the program that works.
func TestIptablesInsertNamesItsProgram(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	if _, err := os.Stat("/usr/sbin/iptables-legacy"); err != nil {
		t.Skip(err)
	}
	b := newFirewallBench(t, true)
	b.shell("iptables-legacy -P FORWARD DROP")
	before := b.shell("iptables-legacy -S")
	o := IptablesInsert{
		Table: "filter", Chain: "FORWARD", Match: []string{"-i", "veth"}, Comment: "netlab:x", Jump: "ACCEPT", Program: "iptables-legacy",
	}
	const want = "iptables-legacy -I FORWARD -i veth -m comment --comment netlab:x -j ACCEPT"
	if got := o.Command().String(); got != want {
		t.Errorf("it is shown as %q, want %q", got, want)
	}
	undo := b.inverses(o)
	after := b.shell("iptables-legacy -S")
	b.apply(undo...)
	b.types(o)
	if again := b.shell("iptables-legacy -S"); again != after {
		t.Errorf("the printed command leaves\n%s\nnot\n%s", again, after)
	}
	b.types(undo...)
	if left := b.shell("iptables-legacy -S"); left != before {
		t.Errorf("left behind:\n%s", left)
	}
}
