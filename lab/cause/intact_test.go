package cause_test

import (
	"context"
	"errors"
	"net/netip"
	"os/exec"
	"slices"
	"testing"
	"time"

	"netlab/lab/cause"
	"netlab/lab/kernel"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/machine"
)

// variants are other ways to a lab that works.
func variants() map[string]string {
	return map[string]string{
		"as built":                   "true",
		"warm":                       warm,
		"a /32 return route":         "ip route add 1.1.1.2 dev veth; ip route del 1.1.1.0/24",
		"no link route any more":     "ip -n ns1 route del 169.254.1.1",
		"proxy ARP by all":           "sysctl -qw net.ipv4.conf.all.proxy_arp=1 net.ipv4.conf.veth.proxy_arp=0",
		"proxy ARP by an entry":      "sysctl -qw net.ipv4.conf.veth.proxy_arp=0; ip neigh add proxy 169.254.1.1 dev veth",
		"a fixed neighbour":          "sysctl -qw net.ipv4.conf.veth.proxy_arp=0; ip -n ns1 neigh replace 169.254.1.1 lladdr $(cat /sys/class/net/veth/address) dev c-eth0 nud permanent",
		"rp_filter with the route":   "sysctl -qw net.ipv4.conf.all.rp_filter=1",
		"onlink":                     "ip -n ns1 route del 169.254.1.1; ip -n ns1 route replace default via 169.254.1.1 dev c-eth0 onlink",
		"masquerade of everything":   "iptables -t nat -F; iptables -t nat -A POSTROUTING -o up0 -j MASQUERADE",
		"masquerade but within":      "iptables -t nat -F; iptables -t nat -A POSTROUTING -s 1.1.1.0/24 ! -d 1.1.1.0/24 -j MASQUERADE",
		"SNAT":                       "iptables -t nat -F; iptables -t nat -A POSTROUTING -s 1.1.1.2 -j SNAT --to-source 192.0.2.2",
		"masquerade by nft":          "iptables -t nat -F; nft add table inet x; nft add chain inet x p '{ type nat hook postrouting priority 100; }'; nft add rule inet x p oifname up0 masquerade",
		"masquerade by a set":        "iptables -t nat -F; nft add table inet x; nft add chain inet x p '{ type nat hook postrouting priority 100; }'; nft add rule inet x p ip saddr { 1.1.1.0/24, 10.0.0.0/8 } masquerade",
		"masquerade in a chain":      "iptables -t nat -F; iptables -t nat -N MY; iptables -t nat -A POSTROUTING -j MY; iptables -t nat -A MY -s 1.0.0.0/8 -j MASQUERADE",
		"masquerade by legacy":       "iptables -t nat -F; iptables-legacy -t nat -A POSTROUTING -s 1.1.1.0/24 -j MASQUERADE",
		"FORWARD opened by device":   "iptables -P FORWARD DROP; iptables -A FORWARD -i veth -j ACCEPT; iptables -A FORWARD -o veth -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"FORWARD opened by source":   "iptables -A FORWARD -s 1.1.1.0/24 -j ACCEPT; iptables -A FORWARD -d 1.1.1.0/24 -j ACCEPT; iptables -A FORWARD -j REJECT",
		"FORWARD opened for Docker":  "iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER; iptables -A DOCKER-USER -i veth -j ACCEPT; iptables -A DOCKER-USER -o veth -j ACCEPT",
		"drop for others":            "iptables -A FORWARD -i eth7 -j DROP; iptables -A INPUT ! -i veth -p udp -j DROP; nft add table inet x; nft add chain inet x f '{ type filter hook forward priority 0; }'; nft add rule inet x f ip saddr 10.0.0.0/9 drop",
		"legacy opened":              "iptables-legacy -P FORWARD DROP; iptables-legacy -A FORWARD -i veth -j ACCEPT; iptables-legacy -A FORWARD -m state --state ESTABLISHED -j ACCEPT",
		"nft opened":                 nftGuard + "nft add rule inet guard onward iif veth accept; nft add rule inet guard onward ct state established,related accept",
		"nft opened by nfproto":      nftGuard + "nft add rule inet guard onward meta nfproto ipv4 meta l4proto != 17 accept",
		"nft opened by goto":         nftGuard + "nft add chain inet guard y; nft add rule inet guard y accept; nft add rule inet guard onward goto y",
		"another host's route there": "ip route add 203.0.113.80 via 192.0.2.1",
	}
}

func TestNoCauseInALabThatWorks(t *testing.T) {
	for name, script := range variants() {
		t.Run(name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			p := build(t, "iptables")
			bash(t, script)
			if causes := p.find(t, cause.Everything); causes != nil {
				t.Errorf("found %v", causes)
			}
			if !works(true) {
				t.Error("it doesn't work")
			}
		})
	}
}

// An answer that may be, such as a set, is no certain one, and no noise beside
// a certain one.
func TestUncertainCausesAreTheLastResort(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	p := build(t, "iptables")
	bash(t, nftGuard+"nft add rule inet guard onward ip saddr { 1.1.1.2, 1.1.1.3 } accept; nft add rule inet guard onward oifname veth accept")
	causes := p.find(t, cause.Everything)
	if len(causes) == 0 || causes[0].ID != cause.FilterDrop || causes[0].Values["certain"] != "no" {
		t.Errorf("found %v", causes)
	}
	bash(t, "sysctl -qw net.ipv4.conf.veth.proxy_arp=0")
	if got := ids(p.find(t, cause.Everything)); len(got) != 1 || got[0] != cause.ProxyARPOff {
		t.Errorf("found %v", got)
	}
}

// A lab half built has no cause in the steps to come.
func TestOnlyWhatBreaksTheGoalIsNamed(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	p := build(t, "iptables")
	bash(t, `
		iptables -t nat -F
		iptables -P FORWARD DROP
		iptables -A INPUT -i veth -j DROP
		ip route del 1.1.1.0/24
		sysctl -qw net.ipv4.conf.veth.proxy_arp=0 net.ipv4.conf.veth.forwarding=0
		ip -n ns1 route del default
		ip -n ns1 route del 169.254.1.1`)
	for _, tt := range []struct {
		goal cause.Goal
		want []string
	}{
		{cause.Namespace, nil},
		{cause.Link, nil},
		{cause.Route, []string{cause.GatewayRouteMissing}},
		{cause.Forward, []string{cause.ForwardingOffDevice}},
		{cause.Gateway, []string{cause.ForwardingOffDevice, cause.ProxyARPOff}},
		{cause.Host, []string{cause.GatewayRouteMissing, cause.ForwardingOffDevice, cause.ProxyARPOff, cause.ReturnRouteMissing, cause.FilterDrop}},
		{cause.Outside, []string{cause.GatewayRouteMissing, cause.ForwardingOffDevice, cause.ProxyARPOff, cause.ReturnRouteMissing,
			cause.FilterDrop, cause.FilterDrop, cause.MasqueradeMissing}},
	} {
		if got := ids(p.find(t, tt.goal)); !slices.Equal(got, tt.want) {
			t.Errorf("goal %d: found %v, want %v", tt.goal, got, tt.want)
		}
	}
}

// A check learns its facts when the uplink has gone already.
func TestTheUplinkIsFoundWithoutARouteThatTells(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	p := build(t, "iptables")
	bash(t, "ip link set up0 down")
	k := kernel.Open()
	defer k.Close()
	facts, err := machine.Facts(k, netip.Addr{}, "")
	if err != nil {
		t.Fatal(err)
	}
	p.setting.Facts.Uplink, p.setting.Facts.HostAddr, p.setting.Facts.Outside = facts.Uplink, facts.HostAddr, facts.Outside
	causes := p.find(t, cause.Everything)
	if len(causes) == 0 || causes[0].ID != cause.LinkDown || causes[0].Values["dev"] != machine.Uplink {
		t.Errorf("found %v", causes)
	}
	bash(t, "ip addr flush dev up0; ip link set up0 up")
	if got := ids(p.find(t, cause.Everything)); len(got) == 0 || got[0] != cause.HostRouteMissing {
		t.Errorf("found %v", got)
	}
}

func TestFindChangesNothing(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	p := build(t, "iptables")
	bash(t, "ip route del 1.1.1.0/24; sysctl -qw net.ipv4.conf.veth.proxy_arp=0")
	const state = `
		for ns in ns1 internet; do ip -n $ns addr; ip -n $ns route show table all; ip -n $ns neigh show nud all; ip -n $ns rule; done
		ip addr; ip route show table all; ip neigh show nud all; ip rule; nft list ruleset
		cd /proc/sys/net/ipv4; grep -r . ip_forward conf neigh 2>/dev/null | sort`
	dump := func() string {
		out, err := exec.Command("bash", "-c", state).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	before := dump()
	p.find(t, cause.Everything)
	if after := dump(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestFindEndsWithItsContext(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	p := build(t, "iptables")
	k := kernel.Open()
	defer k.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cause.Find(ctx, k, p.scenario.Path(p.setting, "")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}

func TestFindIsQuick(t *testing.T) {
	if !kerneltest.Isolate(t) {
		return
	}
	p := build(t, "iptables")
	bash(t, "sysctl -qw net.ipv4.conf.veth.proxy_arp=0")
	for range 5 {
		start := time.Now()
		p.find(t, cause.Everything)
		t.Logf("broken: %v", time.Since(start))
	}
	bash(t, "sysctl -qw net.ipv4.conf.veth.proxy_arp=1")
	for range 5 {
		start := time.Now()
		p.find(t, cause.Everything)
		t.Logf("intact: %v", time.Since(start))
	}
}
