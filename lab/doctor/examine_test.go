package doctor

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netlab/lab"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/machine"
	"netlab/lab/op"
)

// question asks about the article's lab on a machine of which only the kernel is
// real.
func question(t *testing.T, k *kernel.Kernel, plan machine.Plan) Question {
	t.Helper()
	facts, err := machine.Facts(k, netip.Addr{}, "")
	if err != nil {
		t.Fatal(err)
	}
	return Question{
		Kernel: k, Plan: plan, Facts: facts, Files: tree(), Labs: "/run/netlab/labs", Codec: op.Codec{},
		Now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Root: true, Own: []string{"proxyarp"},
	}
}

// notFine are the findings that are not OK, of all that is found.
func notFine(found []machine.Finding) []machine.Finding {
	return slices.DeleteFunc(found, func(f machine.Finding) bool { return f.Grade == machine.OK })
}

func TestAHostLikeAnyOtherIsFineAndStaysAsItIs(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	needs(t, "iptables", "nft")
	k := pretendHost(t)
	q := question(t, k, articlePlan())
	before := kerneltest.Snapshot(t)
	began := time.Now()
	x := Examine(t.Context(), q)
	t.Logf("it took %v", time.Since(began))
	if !x.Sandbox {
		t.Error("no sandbox can be made")
	}
	expect(t, x.Found, "ok rights", "ok sandbox", "ok kernel", "ok iptables", "ok forward-open",
		"ok default-route", "ok forwarding-off", "ok rp-filter-off", "ok no-metadata", "ok state", "ok clock")
	if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
		t.Errorf("the host is another now (-before +after):\n%s", diff)
	}
}

func TestASandboxNeedsLess(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	k := pretendHost(t)
	sh(t, "ip netns add ns1")
	q := question(t, k, articlePlan())
	q.Root = false
	x := Examine(t.Context(), q)
	expect(t, x.Found, "ok sandbox", "ok kernel", "ok state", "ok clock")
}

func TestWhatIsInTheWayOnAHost(t *testing.T) {
	const (
		accept = "; iptables -I %[1] -s 1.1.1.0/24 -j ACCEPT; iptables -I %[1] -d 1.1.1.0/24 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
		byHand = "ip netns add ns1; ip link add veth type veth peer name c-eth0; ip link set c-eth0 netns ns1; ip link set veth up; ip route add 1.1.1.0/24 dev veth scope link"
	)
	accepting := func(chain string) string { return strings.ReplaceAll(accept, "%[1]", chain) }
	for _, tt := range []struct {
		name   string
		script string
		plan   machine.Plan
		want   []string
		by     string
		door   string // the chain that the lab opens itself
	}{
		{"FORWARD is closed", "iptables -P FORWARD DROP", articlePlan(), nil, ByUnknown, "FORWARD"},
		{"Docker closes it", "iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER; iptables -P FORWARD DROP", articlePlan(), nil, ByDocker, "DOCKER-USER"},
		{"Docker closes it, and others come first", "iptables -N DOCKER-USER; iptables -A FORWARD -j REJECT; iptables -A FORWARD -j DOCKER-USER", articlePlan(), nil, ByDocker, "FORWARD"},
		{"a rule is against the lab", "iptables -A FORWARD -i veth -j DROP", articlePlan(), []string{"stop forward-drops" + accepting("FORWARD")}, ByUnknown, ""},
		{"and was told to let the lab through", "iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER; iptables -P FORWARD DROP;" +
			"iptables -I DOCKER-USER -s 1.1.1.0/24 -j ACCEPT; iptables -I DOCKER-USER -d 1.1.1.0/24 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", articlePlan(), nil, "", ""},
		{"and let through one way only", "iptables -P FORWARD DROP; iptables -I FORWARD -i veth -j ACCEPT", articlePlan(), nil, ByUnknown, "FORWARD"},
		{"ufw refuses", "iptables -N ufw-reject-forward; iptables -A ufw-reject-forward -j REJECT; iptables -A FORWARD -j ufw-reject-forward", articlePlan(), nil, ByUfw, "FORWARD"},
		{"a rule about others", "iptables -A FORWARD -s 9.9.9.0/24 -j DROP", articlePlan(), nil, "", ""},
		{"a rule that may be about the lab", "iptables -A FORWARD -m mark --mark 7 -j DROP", articlePlan(), []string{"warn forward-may" + accepting("FORWARD")}, ByUnknown, ""},
		{"firewalld", "nft 'add table inet firewalld; add chain inet firewalld filter_FORWARD { type filter hook forward priority 10; }; add rule inet firewalld filter_FORWARD reject'", articlePlan(),
			[]string{"warn native-rules; nft list ruleset", "stop forward-drops; firewall-cmd --zone=trusted --add-source=1.1.1.0/24"}, ByFirewalld, ""},
		{"nftables rules that do nothing to the lab", "nft 'add table ip mine; add chain ip mine pre { type filter hook prerouting priority 0; }; add rule ip mine pre ip saddr 9.9.9.9 drop'", articlePlan(),
			[]string{"warn native-rules; nft list ruleset"}, "", ""},
		{"an empty chain of nftables", "nft 'add table ip mine; add chain ip mine pre { type filter hook prerouting priority 0; }'", articlePlan(), nil, "", ""},
		{"a legacy rule", "iptables-legacy -A INPUT -s 9.9.9.9 -j DROP", articlePlan(), []string{"warn other-rules; iptables-legacy -S"}, "", ""},
		{"the article by hand", byHand + "; iptables -t nat -A POSTROUTING -s 1.1.1.0/24 -j MASQUERADE", articlePlan(), []string{
			"warn made-by-hand; ip link del veth; ip netns del ns1",
			"warn rule-by-hand; iptables -t nat -D POSTROUTING -s 1.1.1.0/24 -j MASQUERADE"}, "", ""},
		{"the article by hand, with the legacy variant", "iptables-legacy -t nat -A POSTROUTING -s 1.1.1.0/24 -j MASQUERADE", articlePlan(), []string{
			"warn other-rules; iptables-legacy -S",
			"warn rule-by-hand; iptables-legacy -t nat -D POSTROUTING -s 1.1.1.0/24 -j MASQUERADE"}, "", ""},
		{"an administrator's rule in Docker's chain for such", "iptables -N DOCKER-USER; iptables -A DOCKER-USER -i up0 -j DROP; iptables -A FORWARD -j DOCKER-USER; iptables -P FORWARD DROP", articlePlan(),
			[]string{"stop forward-drops" + accepting("DOCKER-USER")}, ByUnknown, ""},
		{"a rule that a lab has left", "iptables -t nat -A POSTROUTING -s 1.1.1.0/24 -m comment --comment netlab:proxyarp -j MASQUERADE", articlePlan(),
			[]string{"stop orphan-rules; iptables -t nat -D POSTROUTING -s 1.1.1.0/24 -m comment --comment netlab:proxyarp -j MASQUERADE"}, "", ""},
		{"a table that a lab has left", "nft add table ip netlab-proxyarp", articlePlan(), []string{"stop orphan-rules; nft delete table ip netlab-proxyarp"}, "", ""},
		{"rules that another lab has left", "iptables -I FORWARD -m comment --comment netlab:mine -j ACCEPT; iptables-legacy -t nat -A POSTROUTING -m comment --comment netlab:mine -j MASQUERADE;" +
			"nft 'add table ip netlab-mine; add chain ip netlab-mine a; add chain ip netlab-mine b'", articlePlan(), []string{
			"warn other-rules; iptables-legacy -S",
			"warn orphan-rules; iptables -D FORWARD -m comment --comment netlab:mine -j ACCEPT; nft delete table ip netlab-mine; iptables-legacy -t nat -D POSTROUTING -m comment --comment netlab:mine -j MASQUERADE"}, "", ""},
		{"a rule for the subnet", "ip rule add to 1.1.0.0/16 table 99 priority 9; ip route add default via 192.0.2.1 table 99", articlePlan(),
			[]string{"stop policy-rule; ip rule add to 1.1.1.0/24 table main priority 8"}, "", ""},
		{"a rule that forbids the subnet", "ip rule add prohibit to 1.1.1.0/24", articlePlan(), []string{"stop policy-rule; ip rule add to 1.1.1.0/24 table main priority 32764"}, "", ""},
		{"a VPN that leaves the main table's routes alone", "ip route add default via 192.0.2.1 table 99; ip rule add not fwmark 7 table 99; ip rule add table main suppress_prefixlength 0", articlePlan(), nil, "", ""},
		{"a VPN that takes all", "ip route add default via 192.0.2.1 table 99; ip rule add not fwmark 7 table 99", articlePlan(), []string{"stop policy-rule; ip rule add to 1.1.1.0/24 table main priority 32764"}, "", ""},
		{"a rule that comes after", "ip route add default via 192.0.2.1 table 99; ip rule add table 99 priority 40000; ip route del default", articlePlan(), nil, "", ""},
		{"a bridge whose frames pass no firewall", "iptables -P FORWARD DROP", bridgePlan(), nil, "", ""},
		{"a route to the metadata service", "ip route add 169.254.169.254 via 192.0.2.1", articlePlan(),
			[]string{"warn metadata; ip -n ns1 route add prohibit 169.254.169.254"}, "", ""},
		{"which is shut", "ip route add prohibit 169.254.169.254", articlePlan(), nil, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			needs(t, "iptables", "nft", "iptables-legacy")
			k := pretendHost(t)
			sh(t, tt.script)
			q := question(t, k, tt.plan)
			before := ""
			if tt.by == ByDocker || tt.plan.Bridges { // enough to see that nothing is left behind
				before = kerneltest.Snapshot(t)
			}
			all, door := Examine(t.Context(), q).Found, ""
			found := notFine(slices.Clone(all))
			expect(t, found, tt.want...)
			for _, f := range all {
				if f.Values["by"] != "" && f.Values["by"] != tt.by {
					t.Errorf("set by %q, want %q", f.Values["by"], tt.by)
				}
				door += f.Values["door"]
			}
			if door != tt.door {
				t.Errorf("the lab opens %q, want %q", door, tt.door)
			}
			// A run is told the same, without a trial.
			if _, err := os.ReadFile("/proc/net/ip_tables_names"); err == nil || !strings.Contains(tt.script, "legacy") {
				expect(t, notFine(Before(t.Context(), q)), tt.want...)
			}
			for _, f := range found { // the remedy settles it
				for _, c := range append([]lab.Command{f.Remedy}, f.More...) {
					if f.ID == OrphanRules || f.ID == PolicyRule {
						sh(t, c.String())
					}
				}
				if f.ID == OrphanRules || f.ID == PolicyRule {
					if slices.ContainsFunc(Before(t.Context(), q), f.Same) {
						t.Errorf("still there: %v", f)
					}
				}
			}
			if before == "" || len(found) > 0 {
				return
			}
			if diff := cmp.Diff(before, kerneltest.Snapshot(t)); diff != "" {
				t.Errorf("the host is another now (-before +after):\n%s", diff)
			}
		})
	}
}

func drops(q Question) []machine.Finding {
	return slices.DeleteFunc(Before(context.Background(), q), func(f machine.Finding) bool { return f.ID != ForwardDrops })
}

// Each opening that is proposed does open, for both directions, and leaves nothing
// behind once it is taken back.
func TestTheRemedyForForwardOpensIt(t *testing.T) {
	for name, script := range map[string]string{
		"rule":   "iptables -A FORWARD -i veth -j DROP; iptables -A FORWARD -o veth -j DROP",
		"docker": "iptables -N DOCKER-USER; iptables -A DOCKER-USER -i veth -j DROP; iptables -A FORWARD -j DOCKER-USER",
		"legacy": "iptables-legacy -A FORWARD -s 1.1.1.0/24 -j DROP",
		"nft":    "nft 'add table inet mine; add chain inet mine mine { type filter hook forward priority 0; policy drop; }'",
		"mangle": "iptables -t mangle -A FORWARD -j DROP",
	} {
		t.Run(name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			needs(t, "iptables", "nft", "iptables-legacy")
			q := question(t, pretendHost(t), articlePlan())
			sh(t, script)
			closed := sh(t, "nft list ruleset; iptables-legacy -S")
			if _, err := os.ReadFile("/proc/net/ip_tables_names"); name == "legacy" && errors.Is(err, fs.ErrPermission) {
				t.Skip("in this user namespace the legacy tables can't be listed, so they are not asked for")
			}
			found := drops(q)
			if len(found) != 1 {
				t.Fatalf("found %v", found)
			}
			for _, c := range append(found[0].More, found[0].Remedy) {
				sh(t, c.String())
			}
			if after := drops(q); len(after) > 0 {
				t.Errorf("still in the way: %v", after)
			}
			for _, c := range found[0].Back {
				sh(t, c.String())
			}
			if diff := cmp.Diff(closed, sh(t, "nft list ruleset; iptables-legacy -S")); diff != "" {
				t.Errorf("taken back, it is another (-before +after):\n%s", diff)
			}
		})
	}
}

func TestABridgeWhoseFramesPassTheFirewall(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	needs(t, "iptables")
	q := question(t, pretendHost(t), bridgePlan())
	q.Facts.BridgeFirewall = true
	sh(t, "iptables -P FORWARD DROP")
	if found := Before(t.Context(), q); !slices.ContainsFunc(found, func(f machine.Finding) bool { return f.ID == ForwardOpened }) {
		t.Errorf("found %v", brief(found))
	}
	walls, err := Walls(q)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]lab.Wall{{Program: "iptables", NFT: true, Chain: "FORWARD"}}, walls); diff != "" {
		t.Error(diff)
	}
}

func TestAStateDirectoryThatIsFullOrReadOnlyStops(t *testing.T) {
	for _, tt := range []struct{ name, options, want string }{
		{"read-only", "ro", "stop state-readonly; mount -o remount,rw /run/netlab/labs"},
		{"full", "size=64k", "stop state-full; df -h /run/netlab/labs"},
		{"tight", "size=4m", "warn state-full; df -h /run/netlab/labs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			q := question(t, pretendHost(t), machine.Plan{})
			sh(t, "mkdir -p -m 700 /run/netlab/labs; mount -t tmpfs -o mode=700,"+tt.options+" none /run/netlab/labs")
			found, err := State(q.Labs, true)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, found, tt.want)
		})
	}
}
