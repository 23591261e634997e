package op

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"netlab/lab"
	"netlab/lab/kernel"
)

// firewallBench is a test's own firewall, and what the real tools say of it.
type firewallBench struct {
	t   *testing.T
	k   *kernel.Kernel
	nft bool // which variant `iptables` is in the bench's shell
}

// newFirewallBench is for a test that runs isolated. It makes `iptables` mean
// that variant in the shell, whatever it means on this machine.
func newFirewallBench(t *testing.T, nft bool) *firewallBench {
	t.Helper()
	program := "/usr/sbin/xtables-legacy-multi"
	if nft {
		program = "/usr/sbin/xtables-nft-multi"
	}
	for _, tool := range []string{program, "/usr/sbin/nft"} {
		if _, err := os.Stat(tool); err != nil {
			t.Skipf("this test compares with the real tool: %v", err)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"iptables", "iptables-save"} {
		if err := os.Symlink(program, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	b := &firewallBench{t: t, k: kernel.Open(), nft: nft}
	t.Cleanup(func() {
		if err := b.k.Close(); err != nil {
			t.Error(err)
		}
	})
	if !nft {
		b.shell("iptables -t nat -S; iptables -t filter -S") // registers the tables, for good
	}
	return b
}

func (b *firewallBench) shell(command string) string {
	b.t.Helper()
	cmd := exec.Command("bash", "-c", command)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", command, err, problems.String())
	}
	return string(out)
}

// dump is the whole ruleset in the tools' own words, without counts, handles and
// times: as text, as JSON, and in the kernel's expressions.
func (b *firewallBench) dump() string {
	b.t.Helper()
	command := "nft list ruleset; nft -j list ruleset; nft --debug=netlink list ruleset"
	if b.nft {
		command += "; iptables-save"
	} else {
		command += "; iptables -t nat -S; iptables -t filter -S"
	}
	text := b.shell(command)
	for _, changing := range []string{
		`"handle": \d+,? ?`, `(?m)^(ip \S+ \S+) \d+( \d+)?\s*$`, `(?m)^# (Generated|Completed).*$`,
	} {
		text = regexp.MustCompile(changing).ReplaceAllString(text, "$1")
	}
	return regexp.MustCompile(`(?m)^Generated$|^Completed$`).ReplaceAllString(text, "#")
}

func (b *firewallBench) is(want, what string) {
	b.t.Helper()
	if got := b.dump(); got != want {
		b.t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

func (b *firewallBench) apply(ops ...lab.Op) {
	b.t.Helper()
	for _, o := range ops {
		if err := o.Apply(b.k); err != nil {
			b.t.Fatalf("apply %s: %v", o.Command(), err)
		}
		if err := o.Verify(b.k); err != nil {
			b.t.Fatalf("verify %s: %v", o.Command(), err)
		}
	}
}

// refuses wants the apply of each op to fail with that error, changing nothing.
func (b *firewallBench) refuses(want error, ops ...lab.Op) {
	b.t.Helper()
	before := b.dump()
	for _, o := range ops {
		if err := o.Apply(b.k); !errors.Is(err, want) {
			b.t.Errorf("apply %s: %v, want %v", o.Command(), err, want)
		}
	}
	b.is(before, "after a refusal")
}

// mismatches wants the read-back of each op to fail.
func (b *firewallBench) mismatches(ops ...lab.Op) {
	b.t.Helper()
	for _, o := range ops {
		var differs *lab.Mismatch
		if err := o.Verify(b.k); !errors.As(err, &differs) {
			b.t.Errorf("verify %#v: %v, want a mismatch", o, err)
		}
	}
}

// types runs the commands as they are printed.
func (b *firewallBench) types(ops ...lab.Op) {
	b.t.Helper()
	for _, o := range ops {
		b.shell(o.Command().String())
	}
}

// inverses reads what undoes the ops, applying each, the last first.
func (b *firewallBench) inverses(ops ...lab.Op) []lab.Op {
	b.t.Helper()
	var undo []lab.Op
	for _, o := range ops {
		inverse, err := o.Inverse(b.k)
		if err != nil {
			b.t.Fatalf("inverse of %s: %v", o.Command(), err)
		}
		b.apply(o)
		if _, err := o.Inverse(b.k); !errors.Is(err, lab.ErrTaken) {
			b.t.Errorf("inverse of %s once it is there: %v, want %v", o.Command(), err, lab.ErrTaken)
		}
		undo = append(append([]lab.Op(nil), inverse...), undo...)
	}
	return undo
}

func TestFirewallOpsAsJSON(t *testing.T) {
	full := []lab.Op{
		IptablesAppend{Table: "nat", Chain: "POSTROUTING", Match: []string{"-s", "1.1.1.0/24"}, Comment: "netlab:x", Jump: "MASQUERADE", NFT: true},
		IptablesInsert{Table: "filter", Chain: "DOCKER-USER", Match: []string{"-i", "veth"}, Comment: "netlab:x", Jump: "ACCEPT", Program: "iptables-legacy"},
		IptablesDelete{Table: "filter", Chain: "FORWARD", Match: []string{"!", "-i", "veth"}, Jump: "ACCEPT"},
		IptablesRestore{Table: "nat", Chain: "POSTROUTING", Match: []string{"-s", "1.1.1.0/24"}, Jump: "MASQUERADE", NFT: true},
		IptablesDelChain{Table: "nat", Chain: "POSTROUTING"},
		NftTableAdd{Family: "ip", Table: "netlab-x"},
		NftTableDel{Family: "ip", Table: "nat"},
		NftChainAdd{"ip", "netlab-x", "postrouting", "nat", "postrouting", 100, "accept"},
		NftChainDel{"ip", "netlab-x", "postrouting", "filter", "forward", -1, "drop"},
		NftRuleAdd{"ip", "netlab-x", "postrouting", netip.MustParsePrefix("1.1.1.0/24"), "netlab:x", true},
		NftRuleDel{"ip", "netlab-x", "postrouting", netip.MustParsePrefix("1.1.1.1/32"), "netlab:x", false},
		IptablesPolicy{Chain: "FORWARD", Policy: "DROP", NFT: true, Left: "ACCEPT"},
	}
	if len(full) != len(firewallKinds()) {
		t.Fatalf("%d kinds tested, of %d", len(full), len(firewallKinds()))
	}
	for _, o := range append(full, firewallKinds()...) {
		data, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Codec{}.Decode(o.Kind(), data)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if !reflect.DeepEqual(again, o) {
			t.Errorf("%s gave %#v, not %#v", data, again, o)
		}
	}
}
