package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"netlab/lab/kernel/kerneltest"
	"netlab/scenarios"
)

const (
	// dockerForward is FORWARD as Docker leaves it, with br_netfilter on where that
	// is loaded, as on a Kubernetes node.
	dockerForward = `sysctl -qew net.bridge.bridge-nf-call-iptables=1
iptables -N DOCKER; iptables -N DOCKER-FORWARD; iptables -N DOCKER-USER
iptables -A DOCKER ! -i docker0 -o docker0 -j DROP
iptables -A DOCKER-FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A DOCKER-FORWARD -o docker0 -j DOCKER
iptables -A DOCKER-FORWARD -i docker0 -j ACCEPT
iptables -A FORWARD -j DOCKER-USER
iptables -A FORWARD -j DOCKER-FORWARD
iptables -P FORWARD DROP
`
	// ufwForward is FORWARD as ufw leaves it, its logging apart.
	ufwForward = `for c in before-logging before after after-logging reject track; do
	iptables -N ufw-$c-forward; iptables -A FORWARD -j ufw-$c-forward
done
iptables -A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -A ufw-before-forward -p icmp --icmp-type 3 -j ACCEPT
iptables -P FORWARD DROP
`
	legacyForward = "iptables-legacy -P FORWARD DROP\n"
	// nativeForward is closed in the manner of firewalld.
	nativeForward = `nft -f - <<END
table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority 10; policy accept;
		ct state established,related accept
		reject with icmpx admin-prohibited
	}
}
END
`
)

// A host whose firewall drops what it forwards is no obstacle: each lab opens it
// for itself alone, by netlab or by the script, and leaves it as it was.
func TestLabsWorkBehindAFirewall(t *testing.T) {
	type walled struct {
		name, setup, scenario string
		rules                 int    // that the lab adds
		show                  string // the command that shows them
	}
	const forward, user = "iptables -S FORWARD", "iptables -S DOCKER-USER"
	cases := []walled{
		{"ufw", ufwForward, "proxyarp", 2, forward},
		{"legacy beside nft", legacyForward, "proxyarp", 2, "iptables-legacy -S FORWARD"},
		{"legacy alone", useLegacy + "\n" + dockerForward, "calico", 1, user},
		{"both variants", dockerForward + legacyForward, "ptp", 2, user + ";iptables-legacy -S FORWARD"},
	}
	for scenario, rules := range map[string]int{"proxyarp": 2, "gateway": 1, "calico": 1, "ptp": 1, "bridge": 1} {
		cases = append(cases, walled{"Docker", dockerForward, scenario, rules, user})
	}
	for _, tt := range cases {
		t.Run(tt.scenario+" "+tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			if _, err := os.ReadFile("/proc/net/ip_tables_names"); errors.Is(err, fs.ErrPermission) && strings.Contains(tt.setup, "legacy") {
				t.Skip("in this user namespace the legacy tables can't be listed, so they are not asked for")
			}
			s, _ := scenarios.Named(tt.scenario)
			pretendHostFor(t, s)
			sh(t, tt.setup)
			if _, err := os.Stat("/proc/sys/net/bridge"); tt.scenario == "bridge" && err != nil {
				tt.rules = 0 // the firewall is not asked of what a bridge passes on
			}
			before, links := settle(t), sh(t, "ip -br link")
			added := func(when string) {
				t.Helper()
				if n := strings.Count(sh(t, tt.show), "--comment \"netlab:"+s.Name); n != tt.rules {
					t.Errorf("%s there are %d rules, want %d:\n%s", when, n, tt.rules, sh(t, tt.show))
				}
			}
			byScript := ""
			if tt.scenario == "proxyarp" || tt.name != "Docker" { // often enough
				script := "netlab script " + s.Name
				sh(t, script+" | bash")
				added("after the script")
				byScript = kerneltest.Snapshot(t)
				sh(t, script+" --undo | bash")
				waitFor(t, "the kernel to drop what was deleted", func() bool { return sh(t, "ip -br link") == links })
				if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
					t.Fatalf("after the script's undo (-before +after):\n%s", diff)
				}
			}

			sh(t, "netlab run "+s.Name+" --no-before")
			added("after the run")
			if byScript != "" {
				if diff := cmp.Diff(state(byScript), state(kerneltest.Snapshot(t))); diff != "" {
					t.Errorf("-script +netlab:\n%s", diff)
				}
			}
			sh(t, "netlab run "+s.Name) // once more: it only verifies
			added("after another run")
			sh(t, "netlab teardown "+s.Name)
			if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
				t.Errorf("the host is not as it was (-before +after):\n%s", diff)
			}
		})
	}
}

// What netlab must not open, it names before it changes anything.
func TestALabIsRefusedWhereSomebodyElseClosesForward(t *testing.T) {
	for _, tt := range []struct{ name, setup, says string }{
		{"firewalld", nativeForward, "firewall-cmd --zone=trusted --add-source=1.1.1.0/24"},
		{"a table of one's own", "nft 'add table ip mine; add chain ip mine f { type filter hook forward priority 0; policy drop; }'",
			"nft insert rule ip mine f ip daddr 1.1.1.0/24 ct state established,related accept"},
		{"on purpose", "iptables -A FORWARD -s 1.1.1.0/24 -j DROP", "iptables -I FORWARD -s 1.1.1.0/24 -j ACCEPT"},
		{"firewalld, and Docker too", nativeForward + dockerForward, "firewall-cmd --zone=trusted --add-source=1.1.1.0/24"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			pretendHost(t)
			sh(t, tt.setup)
			before := settle(t)
			code, out := status(t, "netlab run proxyarp")
			if code != exitCannot || !strings.Contains(strings.ReplaceAll(out, "\u00a0", " "), tt.says) {
				t.Errorf("exit %d, and not %q:\n%s", code, tt.says, out)
			}
			if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
				t.Errorf("the host is not as it was (-before +after):\n%s", diff)
			}
		})
	}
}

// The firewall may be closed, or opened, while the lab is up.
func TestAFirewallThatChangesUnderALab(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	sh(t, "sysctl -qw net.ipv4.ip_forward=1") // since before Docker
	before := settle(t)
	sh(t, "netlab run proxyarp -q --no-before")

	sh(t, "iptables -P FORWARD DROP")
	code, out := status(t, "netlab check proxyarp")
	if code != exitFailed || !strings.Contains(out, "the host's firewall stops what goes from veth to up0") {
		t.Errorf("closed under it: exit %d\n%s", code, out)
	}
	sh(t, "netlab run proxyarp -q --no-before; netlab check proxyarp") // it opens it now

	sh(t, "iptables -D FORWARD -o veth -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment netlab:proxyarp -j ACCEPT")
	code, out = status(t, "netlab check proxyarp")
	for _, want := range []string{"the reply comes in by up0, but not to ns1", "the host's firewall stops what goes from up0 to veth"} {
		if code != exitFailed || !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("without the rule for replies: exit %d, and not %q\n%s", code, want, out)
		}
	}
	sh(t, "netlab teardown proxyarp -q; iptables -P FORWARD ACCEPT; iptables -X FORWARD; nft delete table ip filter")
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Errorf("the host is not as it was (-before +after):\n%s", diff)
	}
}

// A step that only some machines need can be named on all of them.
func TestAStepThatIsNotNeededHere(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	pretendHost(t)
	for step, last := range map[string]string{"accept": "return-route", "veth": "veth"} {
		out := sh(t, fmt.Sprintf("netlab run proxyarp -q --no-before --until %s; netlab status -o json; netlab teardown -q", step))
		if want := `"last_step":"` + last + `"`; !strings.Contains(out, want) {
			t.Errorf("until %s there is not %s:\n%s", step, want, out)
		}
	}
	out := sh(t, "netlab run proxyarp -q --no-before; netlab run proxyarp --from accept --no-before; netlab teardown -q")
	if !strings.Contains(out, "iptables -t nat -D POSTROUTING") || strings.Contains(out, "ip route del 1.1.1.0/24") {
		t.Errorf("from accept:\n%s", out)
	}
}
