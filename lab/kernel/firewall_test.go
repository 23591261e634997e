package kernel

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel/kerneltest"
)

func firewallShell(t *testing.T, command string) string {
	t.Helper()
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skipf("this test needs the real tools: %v", err)
	}
	out, err := exec.Command("bash", "-c", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

func openFirewall(t *testing.T) *Firewall {
	t.Helper()
	k := Open()
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k.Firewall()
}

func TestFindIPTables(t *testing.T) {
	dir := t.TempDir()
	write := func(name, version string) {
		t.Helper()
		text := "#!/bin/sh\necho 'iptables v1.8.9 (" + version + ")'\n"
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f := &Firewall{dirs: []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}}
	if _, err := f.IPTables(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in empty directories: %v", err)
	}
	write("a/iptables", "legacy")
	write("b/iptables", "nf_tables") // hidden by the first
	found, err := f.IPTables()
	if err != nil || found.NFT || found.Path != filepath.Join(dir, "a/iptables") {
		t.Fatalf("%+v, %v", found, err)
	}
	if _, err := f.IPTablesOf(true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nft where there is only legacy: %v", err)
	}
	write("b/iptables-nft", "nf_tables")
	other, err := f.IPTablesOf(true)
	if err != nil || !other.NFT || other.Path != filepath.Join(dir, "b/iptables-nft") {
		t.Fatalf("%+v, %v", other, err)
	}
	again, err := f.IPTablesOf(false)
	if err != nil || again != found {
		t.Errorf("legacy is %+v, not the one found before: %v", again, err)
	}
}

func TestCheckChangesNothing(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	f := openFirewall(t)
	ipt, err := f.IPTablesOf(true)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	there, err := ipt.Check("nat", "POSTROUTING", "-s", "1.1.1.0/24", "-j", "MASQUERADE")
	if err != nil || there {
		t.Errorf("check: %v, %v", there, err)
	}
	_, err = ipt.Check("nat", "POSTROUTING", "-s", "1.1.1.0/24", "-j", "NOSUCHTARGET")
	if err == nil || !strings.Contains(err.Error(), "NOSUCHTARGET") {
		t.Errorf("check of an unknown target: %v", err)
	}
	err = ipt.Delete("nat", "POSTROUTING", "-j", "NOSUCHTARGET")
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("delete of an unknown target: %v", err)
	}
	if rules := firewallShell(t, "nft list ruleset"); rules != "" {
		t.Errorf("a check has made\n%s", rules)
	}
}

// The xtables lock, held by another program for a moment, is waited for.
func TestLegacyLock(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	f := openFirewall(t)
	ipt, err := f.IPTablesOf(false)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	lock, err := os.Create("/run/xtables.lock")
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- ipt.Append("filter", "FORWARD", "-j", "ACCEPT") }()
	select {
	case err := <-done:
		t.Errorf("while others hold the lock: %v", err)
	case <-time.After(100 * time.Millisecond):
		if err := lock.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := ipt.Delete("filter", "FORWARD", "-j", "ACCEPT"); err != nil {
		t.Error(err)
	}
	if err := ipt.Delete("filter", "FORWARD", "-j", "ACCEPT"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the second time: %v", err)
	}
}

// A deletion that was decided on an older ruleset is refused by the kernel.
func TestNftGeneration(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	f := openFirewall(t)
	if err := f.AddNftTable("ip", "a"); err != nil {
		t.Fatal(err)
	}
	if err := f.AddNftTable("ip", "a"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the same table twice: %v", err)
	}
	decisions := 0
	err := f.withNft(func(n *nft) error {
		stale, err := n.generation()
		if err != nil {
			return err
		}
		firewallShell(t, "nft add table ip b")
		d := deletion{message: unix.NFT_MSG_DELTABLE, family: unix.NFPROTO_IPV4}
		d.attrs = append(d.attrs, nftString(unix.NFTA_TABLE_NAME, "a"))
		if err := n.delete(stale, d); !errors.Is(err, unix.ERESTART) {
			t.Errorf("at a stale generation: %v", err)
		}
		return n.change(func() (deletion, error) {
			if decisions++; decisions == 1 { // a change while deciding
				firewallShell(t, "nft delete table ip b")
			}
			return d, nil
		})
	})
	if err != nil || decisions != 2 {
		t.Errorf("after %d decisions: %v", decisions, err)
	}
	if rules := firewallShell(t, "nft list ruleset"); rules != "" {
		t.Errorf("left:\n%s", rules)
	}
	_, err = f.NftTable("ip", "a")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a deleted table: %v", err)
	}
}

func TestBarriers(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	f := openFirewall(t)
	barriers := func(hook string) []Barrier {
		t.Helper()
		found, err := f.Barriers(hook)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := barriers("forward"); found != nil {
		t.Errorf("on an empty firewall: %v", found)
	}
	firewallShell(t, `
		iptables-nft -P FORWARD DROP
		iptables-nft -A FORWARD -i veth -j ACCEPT
		iptables-nft -A FORWARD -m comment --comment last -j REJECT
		iptables-nft -A INPUT -i veth -j DROP
		nft add table inet guard
		nft add chain inet guard onward '{ type filter hook forward priority 10; policy drop; }'
		nft add chain inet guard inward '{ type filter hook input priority 10; policy accept; }'
		nft add rule inet guard inward tcp dport 22 drop
		nft add rule inet guard inward counter drop
		nft add table ip6 six
		nft add chain ip6 six onward '{ type filter hook forward priority 10; policy drop; }'`)
	guard := Barrier{Backend: "nftables", Family: "inet", Table: "guard", Chain: "onward", Hook: "forward", Policy: "drop"}
	iptables := Barrier{Backend: "nftables", Family: "ip", Table: "filter", Chain: "FORWARD", Hook: "forward", Policy: "drop"}
	last := iptables
	last.Rule = "reject"
	if found, want := barriers("forward"), []Barrier{iptables, last, guard}; !reflect.DeepEqual(found, want) {
		t.Errorf("forward: %v, want %v", found, want)
	}
	in := Barrier{Backend: "nftables", Family: "inet", Table: "guard", Chain: "inward", Hook: "input", Policy: "accept", Rule: "drop"}
	if found, want := barriers("input"), []Barrier{in}; !reflect.DeepEqual(found, want) {
		t.Errorf("input: %v, want %v", found, want)
	}
	firewallShell(t, `nft flush ruleset
		iptables-legacy -P FORWARD DROP
		iptables-legacy -A FORWARD -i veth -j DROP
		iptables-legacy -A FORWARD -j REJECT`)
	legacy := Barrier{Backend: "iptables-legacy", Family: "ip", Table: "filter", Chain: "FORWARD", Hook: "forward", Policy: "drop"}
	last = legacy
	last.Rule = "reject"
	if found, want := barriers("forward"), []Barrier{legacy, last}; !reflect.DeepEqual(found, want) {
		t.Errorf("forward: %v, want %v", found, want)
	}
	if s := legacy.String(); s != "iptables-legacy ip filter FORWARD: policy drop" {
		t.Error(s)
	}
	if _, err := f.Barriers("sideways"); err == nil {
		t.Error("an unknown hook is no error")
	}
}
