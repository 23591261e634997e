package cause_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"netlab/lab"
	"netlab/lab/cause"
	"netlab/lab/kernel/kerneltest"
	"netlab/lab/machine"
)

// breakage is a way to break the lab with the real tools, and what it is to be
// called.
type breakage struct {
	name   string
	breaks string
	want   string            // the first cause
	values map[string]string // some of its values
	// shows: the repair only shows the cause; mend is what a person would do then.
	shows bool
	mend  string
	// perhaps: the lab may work all the same.
	perhaps  bool
	firewall string // "iptables" unless said
	alone    bool   // it is the only cause, since the others only follow from it
}

func breakages() []breakage {
	const legacyOnly = "iptables -t nat -F; " // so that only legacy masquerades
	return []breakage{
		{name: "no namespace", breaks: "ip netns del ns1; timeout 5 bash -c 'while ip link show dev veth; do sleep 0.01; done'", want: cause.NetnsMissing, alone: true},
		{name: "no pair", breaks: "ip link del veth", want: cause.LinkMissing, alone: true},
		{name: "pod end not moved", breaks: "ip -n ns1 link set c-eth0 netns $PPID", want: cause.LinkMissing,
			values: map[string]string{"dev": "c-eth0", "in": "ns1"}, alone: true},
		{name: "pod end renamed", breaks: "ip -n ns1 link set c-eth0 down; ip -n ns1 link set c-eth0 name eth0", want: cause.LinkMissing,
			values: map[string]string{"dev": "c-eth0", "found": "eth0"}, alone: true},
		{name: "host end renamed", breaks: "ip link set veth down; ip link set veth name cali1", want: cause.LinkMissing,
			values: map[string]string{"dev": "veth", "found": "cali1"}, alone: true},
		{name: "another pair", breaks: "ip link del veth; ip link add veth type veth peer name x; ip -n ns1 link add c-eth0 type veth peer name y",
			want: cause.LinkNotPaired, shows: true, mend: "ip link del veth; ip -n ns1 link del c-eth0", alone: true},
		{name: "pod end down", breaks: "ip -n ns1 link set c-eth0 down", want: cause.LinkDown, values: map[string]string{"dev": "c-eth0", "in": "ns1"}, alone: true},
		{name: "host end down", breaks: "ip link set veth down", want: cause.LinkDown, values: map[string]string{"dev": "veth", "in": "the host"}, alone: true},
		{name: "uplink down", breaks: "ip link set up0 down", want: cause.LinkDown, values: map[string]string{"dev": "up0"}, alone: true},
		{name: "uplink without carrier", breaks: "ip -n internet link set eth0 down", want: cause.NoCarrier, values: map[string]string{"dev": "up0"},
			shows: true, mend: "ip -n internet link set eth0 up", alone: true},
		{name: "no ARP on the host end", breaks: "ip link set veth arp off", want: cause.ARPOff, values: map[string]string{"dev": "veth"}},
		{name: "no ARP on the pod end", breaks: "ip -n ns1 link set c-eth0 arp off", want: cause.ARPOff, values: map[string]string{"dev": "c-eth0"}},
		{name: "no address", breaks: "ip -n ns1 addr flush dev c-eth0", want: cause.AddressMissing, values: map[string]string{"found": ""}, alone: true},
		{name: "another address", breaks: "ip -n ns1 addr add 1.1.1.9/24 dev c-eth0; ip -n ns1 addr del 1.1.1.2/24 dev c-eth0; " + podRoutes,
			want: cause.AddressMissing, perhaps: true}, // covered by the subnet all the same
		{name: "the pod's address on the host", breaks: "ip addr add 1.1.1.2/32 dev lo", want: cause.AddressDuplicate,
			values: map[string]string{"addr": "1.1.1.2", "dev": "lo", "in": "the host"}, alone: true},
		{name: "outside's address in the pod", breaks: "ip -n ns1 addr add 203.0.113.80/32 dev lo", want: cause.AddressDuplicate,
			values: map[string]string{"in": "ns1"}, alone: true, perhaps: true}, // the pod answers itself
		{name: "another source", breaks: "ip -n ns1 addr add 10.9.9.9/32 dev lo; ip -n ns1 route change default via 169.254.1.1 dev c-eth0 src 10.9.9.9",
			want: cause.SourceWrong, shows: true, mend: "ip -n ns1 route change default via 169.254.1.1 dev c-eth0", alone: true},
		{name: "no routes in the pod", breaks: "ip -n ns1 route del default; ip -n ns1 route del 169.254.1.1", want: cause.GatewayRouteMissing, alone: true},
		{name: "no default route in the pod", breaks: "ip -n ns1 route del default", want: cause.DefaultRouteMissing, alone: true},
		{name: "default route through another gateway", breaks: "ip -n ns1 route replace default via 1.1.1.1 dev c-eth0", want: cause.PodRouteWrong,
			values: map[string]string{"found": "default via 1.1.1.1 dev c-eth0"}, alone: true}, // which the host takes to be behind the pod
		{name: "default route into nothing", breaks: "ip -n ns1 link add d0 type veth peer name d1; ip -n ns1 link set d0 up; ip -n ns1 link set d1 up; ip -n ns1 route replace default dev d0",
			want: cause.PodRouteWrong, values: map[string]string{"found": "default dev d0"}, alone: true},
		{name: "a more specific route in the pod", breaks: "ip -n ns1 route add 203.0.113.0/24 via 1.1.1.77", want: cause.PodRouteWrong,
			values: map[string]string{"found": "203.0.113.0/24 via 1.1.1.77 dev c-eth0"}, alone: true},
		{name: "a blackhole in the pod", breaks: "ip -n ns1 route add blackhole 203.0.113.80", want: cause.PodRouteWrong,
			values: map[string]string{"found": "blackhole 203.0.113.80"}, alone: true},
		{name: "a rule in the pod", breaks: "ip -n ns1 rule add to 203.0.113.80 prohibit", want: cause.PolicyRule,
			values: map[string]string{"in": "ns1"}, shows: true, mend: "ip -n ns1 rule del to 203.0.113.80 prohibit", alone: true},
		{name: "another table in the pod", breaks: "ip -n ns1 link set lo up; ip -n ns1 route add default dev lo table 77; ip -n ns1 rule add to 203.0.113.80 table 77",
			want: cause.PolicyRule, values: map[string]string{"found": "table 77"}, shows: true, mend: "ip -n ns1 rule del to 203.0.113.80 table 77", alone: true},
		{name: "a fixed neighbour in the pod", breaks: "ip -n ns1 neigh replace 169.254.1.1 lladdr 02:00:00:00:00:01 dev c-eth0 nud permanent",
			want: cause.NeighbourWrong, values: map[string]string{"in": "ns1", "found": "02:00:00:00:00:01"}, alone: true},
		{name: "a fixed neighbour on the host", breaks: "ip neigh replace 1.1.1.2 lladdr 02:00:00:00:00:01 dev veth nud permanent",
			want: cause.NeighbourWrong, values: map[string]string{"in": "the host", "addr": "1.1.1.2"}, alone: true},
		{name: "the host end's MAC changed", breaks: warm + "ip link set veth address 02:00:00:00:00:02", want: cause.NeighbourStale,
			values: map[string]string{"in": "ns1", "want": "02:00:00:00:00:02"}, alone: true},
		{name: "the pod end's MAC changed", breaks: warm + "ip -n ns1 link set c-eth0 address 02:00:00:00:00:03", want: cause.NeighbourStale,
			values: map[string]string{"in": "the host", "want": "02:00:00:00:00:03"}, alone: true, perhaps: true}, // the pod's next request tells the host
		{name: "forwarding off", breaks: "sysctl -qw net.ipv4.ip_forward=0", want: cause.ForwardingOff, alone: true},
		{name: "forwarding off on the host end", breaks: "sysctl -qw net.ipv4.conf.veth.forwarding=0", want: cause.ForwardingOffDevice,
			values: map[string]string{"dev": "veth"}, alone: true},
		{name: "forwarding off on the uplink", breaks: "sysctl -qw net.ipv4.conf.up0.forwarding=0", want: cause.ForwardingOffDevice,
			values: map[string]string{"dev": "up0"}, alone: true},
		{name: "no default route on the host", breaks: "ip route del default", want: cause.HostRouteMissing, values: map[string]string{"dst": "169.254.1.1"},
			shows: true, mend: "ip route add default via 192.0.2.1", alone: true},
		{name: "the gateway is unreachable", breaks: "ip route add unreachable 169.254.0.0/16", want: cause.HostRouteRefuses,
			values: map[string]string{"type": "unreachable", "route": "169.254.0.0/16"}, alone: true},
		{name: "the gateway is a blackhole", breaks: "ip route add blackhole 169.254.1.1", want: cause.HostRouteRefuses, values: map[string]string{"type": "blackhole"}, alone: true},
		{name: "outside is prohibited", breaks: "ip route add prohibit 203.0.113.0/24 metric 7", want: cause.HostRouteRefuses,
			values: map[string]string{"type": "prohibit", "dst": "203.0.113.80"}, alone: true},
		{name: "the gateway is behind the pod", breaks: "ip route add 169.254.0.0/16 dev veth", want: cause.HostRouteBack,
			values: map[string]string{"route": "169.254.0.0/16 dev veth"}, alone: true},
		{name: "a rule on the host", breaks: "ip rule add from 1.1.1.0/24 iif veth prohibit", want: cause.PolicyRule, values: map[string]string{"in": "the host"},
			shows: true, mend: "ip rule del from 1.1.1.0/24 iif veth prohibit", alone: true},
		{name: "the gateway is on the host", breaks: "ip addr add 169.254.1.1/32 dev lo", want: cause.GatewayOnHost, perhaps: true, alone: true},
		{name: "the gateway is on the host, which keeps silent", breaks: "ip addr add 169.254.1.1/32 dev lo; sysctl -qw net.ipv4.conf.veth.arp_ignore=1",
			want: cause.GatewayOnHost, alone: true},
		{name: "proxy ARP off", breaks: "sysctl -qw net.ipv4.conf.veth.proxy_arp=0", want: cause.ProxyARPOff, alone: true},
		{name: "slow answers", breaks: "sysctl -qw net.ipv4.neigh.veth.proxy_delay=80", want: cause.ProxyDelay, perhaps: true,
			values: map[string]string{"seconds": "0.8", "certain": "no"}, alone: true},
		{name: "no return route", breaks: "ip route del 1.1.1.0/24", want: cause.ReturnRouteMissing, alone: true},
		{name: "no return route under rp_filter", breaks: "ip route del 1.1.1.0/24; sysctl -qw net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.veth.rp_filter=1",
			want: cause.RPFilter, values: map[string]string{"value": "2"}, alone: true},
		{name: "a more specific return route", breaks: "ip route add 1.1.1.0/25 via 192.0.2.1", want: cause.ReturnRouteStolen,
			values: map[string]string{"found": "1.1.1.0/25 via 192.0.2.1 dev up0"}, alone: true},
		{name: "a return route for the pod alone", breaks: "ip route add 1.1.1.2 dev up0", want: cause.ReturnRouteStolen, alone: true},
		{name: "the way back is unreachable", breaks: "ip route add unreachable 1.1.1.2", want: cause.ReturnRouteStolen,
			values: map[string]string{"found": "unreachable 1.1.1.2"}, alone: true},
		{name: "another table on the host", breaks: "ip route add default via 192.0.2.1 table 77; ip rule add to 1.1.1.0/24 table 77", want: cause.PolicyRule,
			shows: true, mend: "ip rule del to 1.1.1.0/24 table 77", alone: true},
		{name: "no ping on the host", breaks: "sysctl -qw net.ipv4.icmp_echo_ignore_all=1", want: cause.EchoIgnored, alone: true},
		{name: "MTUs differ", breaks: "ip -n ns1 link set c-eth0 mtu 9000", want: cause.MTUDiffers, perhaps: true, alone: true},

		{name: "iptables policy", breaks: "iptables -P FORWARD DROP", want: cause.FilterDrop,
			values: map[string]string{"backend": "nftables", "table": "filter", "chain": "FORWARD", "rule": "policy drop", "from": "veth", "to": "up0"}},
		{name: "iptables policy, out accepted", breaks: "iptables -P FORWARD DROP; iptables -A FORWARD -s 1.1.1.0/24 -j ACCEPT", want: cause.FilterDrop,
			values: map[string]string{"from": "up0", "to": "veth"}, alone: true},
		{name: "iptables policy, something accepted", breaks: "iptables -P FORWARD DROP; iptables -A FORWARD -i br0 -j ACCEPT", want: cause.FilterDrop,
			values: map[string]string{"rule": "policy drop"}},
		{name: "iptables rule on the pod", breaks: "iptables -A FORWARD -i veth -j DROP", want: cause.FilterDrop, values: map[string]string{"rule": "drop"}, alone: true},
		{name: "iptables rule at the end", breaks: "iptables -A FORWARD -p udp -j ACCEPT; iptables -A FORWARD -j REJECT", want: cause.FilterDrop, values: map[string]string{"rule": "reject"}},
		{name: "iptables rule in another chain", breaks: "iptables -N GUARD; iptables -A FORWARD -j GUARD; iptables -A GUARD -d 203.0.113.0/24 -j DROP",
			want: cause.FilterDrop, values: map[string]string{"chain": "GUARD", "base": "FORWARD"}, alone: true},
		{name: "docker", breaks: "iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A FORWARD -j DOCKER-USER; iptables -A DOCKER-USER -j RETURN",
			want: cause.FilterDrop},
		{name: "iptables input", breaks: "iptables -P INPUT DROP; iptables -A INPUT -i up0 -j ACCEPT", want: cause.FilterDrop,
			values: map[string]string{"hook": "input", "from": "veth", "to": "the host"}, alone: true},
		{name: "iptables output", breaks: "iptables -A OUTPUT -o veth -j DROP", want: cause.FilterDrop, values: map[string]string{"hook": "output"}, alone: true},
		{name: "iptables raw", breaks: "iptables -t raw -A PREROUTING -i veth -p icmp -j DROP", want: cause.FilterDrop, values: map[string]string{"table": "raw"}},
		{name: "nft policy", breaks: "nft add table inet guard; nft add chain inet guard onward '{ type filter hook forward priority 10; policy drop; }'",
			want: cause.FilterDrop, values: map[string]string{"family": "inet", "table": "guard", "chain": "onward"}},
		{name: "nft policy, out and back by state", breaks: nftGuard + "nft add rule inet guard onward ct state established accept",
			want: cause.FilterDrop, values: map[string]string{"from": "veth"}, alone: true},
		{name: "nft rule", breaks: "nft add table ip guard; nft add chain ip guard onward '{ type filter hook forward priority 10; }'; nft add rule ip guard onward ip saddr 1.1.1.0/28 reject",
			want: cause.FilterDrop, values: map[string]string{"rule": "reject"}, alone: true},
		{name: "nft set", breaks: "nft add table ip guard; nft add chain ip guard onward '{ type filter hook forward priority 10; }'; nft add rule ip guard onward ip saddr { 1.1.1.2, 1.1.1.3 } drop",
			want: cause.FilterDrop, perhaps: true, values: map[string]string{"certain": "no"}},
		{name: "legacy policy", breaks: "iptables-legacy -P FORWARD DROP", want: cause.FilterDrop, values: map[string]string{"backend": "iptables-legacy"}},
		{name: "legacy rule", breaks: "iptables-legacy -A FORWARD -m comment --comment 'not - this' -i veth ! -d 192.0.2.1 -j REJECT", want: cause.FilterDrop,
			values: map[string]string{"backend": "iptables-legacy", "rule": "reject"}, alone: true},
		{name: "legacy rule in another chain", breaks: "iptables-legacy -N GUARD; iptables-legacy -A FORWARD -i ve+ -j GUARD; iptables-legacy -A GUARD -j DROP", want: cause.FilterDrop,
			values: map[string]string{"chain": "GUARD"}, alone: true},

		{name: "no masquerade", breaks: "iptables -t nat -F", want: cause.MasqueradeMissing, alone: true},
		{name: "no masquerade, nor a table", breaks: "nft delete table ip nat", want: cause.MasqueradeMissing, alone: true},
		{name: "masquerade of another source", breaks: "iptables -t nat -F; iptables -t nat -A POSTROUTING -s 1.1.2.0/24 -j MASQUERADE", want: cause.MasqueradeElsewhere,
			values: map[string]string{"found": "ip saddr 1.1.2.0/24"}, alone: true},
		{name: "masquerade of a smaller source", breaks: "iptables -t nat -F; iptables -t nat -A POSTROUTING -s 1.1.1.128/25 -j MASQUERADE", want: cause.MasqueradeElsewhere,
			values: map[string]string{"found": "ip saddr 1.1.1.128/25"}, alone: true},
		{name: "masquerade out of another device", breaks: "iptables -t nat -F; iptables -t nat -A POSTROUTING -o eth7 -j MASQUERADE", want: cause.MasqueradeElsewhere,
			values: map[string]string{"found": "oifname eth7"}, alone: true},
		{name: "masquerade too late", breaks: "iptables -t nat -I POSTROUTING -s 1.1.1.0/24 -j ACCEPT", want: cause.MasqueradeShadowed,
			shows: true, mend: "iptables -t nat -D POSTROUTING -s 1.1.1.0/24 -j ACCEPT", alone: true},
		{name: "legacy masquerade of another source", breaks: legacyOnly + "iptables-legacy -t nat -A POSTROUTING -s 1.1.2.0/24 -j MASQUERADE",
			want: cause.MasqueradeElsewhere, values: map[string]string{"found": "-s 1.1.2.0/24"}, alone: true},
		{name: "no rule of nft", firewall: "nftables", breaks: "nft flush chain ip netlab-proxyarp postrouting", want: cause.MasqueradeMissing, alone: true},
		{name: "no chain of nft", firewall: "nftables", breaks: "nft delete table ip netlab-proxyarp", want: cause.MasqueradeMissing, alone: true},
	}
}

const (
	podRoutes = "ip -n ns1 route replace 169.254.1.1 dev c-eth0 scope link; ip -n ns1 route replace default via 169.254.1.1 dev c-eth0; "
	warm      = "ip netns exec ns1 ping -c1 -w2 203.0.113.80; "
	nftGuard  = "nft add table inet guard; nft add chain inet guard onward '{ type filter hook forward priority 10; policy drop; }'; "
)

func TestFindNamesTheCauseAndItsRepairRepairs(t *testing.T) {
	for _, b := range breakages() {
		t.Run(b.name, func(t *testing.T) {
			if !kerneltest.Isolate(t) {
				return
			}
			if b.firewall == "" {
				b.firewall = "iptables"
			}
			p := build(t, b.firewall)
			bash(t, b.breaks)
			causes := p.find(t, cause.Everything)
			if len(causes) == 0 || causes[0].ID != b.want {
				t.Fatalf("found %v, want %s first", causes, b.want)
			}
			for _, c := range causes {
				t.Logf("%s %v: %s", c.ID, c.Values, c.Repair)
				known(t, c)
			}
			if b.alone && len(causes) > 1 {
				t.Errorf("also found %v", ids(causes[1:]))
			}
			for name, want := range b.values {
				if got := causes[0].Values[name]; got != want {
					t.Errorf("value %s is %q, want %q", name, got, want)
				}
			}
			if !b.perhaps && works(false) {
				t.Error("the lab works all the same")
			}
			p.repair(t, b, causes[0])
		})
	}
}

// repair does what each cause says until none is left, and the lab must work.
func (p pod) repair(t *testing.T, b breakage, first lab.Cause) {
	t.Helper()
	next := first
	for range 12 {
		bash(t, next.Repair.String())
		if b.shows {
			bash(t, b.mend)
			b.shows = false
		}
		causes := p.find(t, cause.Everything)
		if len(causes) == 0 {
			if !works(true) {
				t.Error("without a cause the lab doesn't work")
			}
			return
		}
		if same(causes[0], next) {
			t.Fatalf("%s did not repair %s", next.Repair, next.ID)
		}
		next = causes[0]
		t.Logf("then %s: %s", next.ID, next.Repair)
		if next.ID == cause.HostRouteMissing {
			b.shows, b.mend = true, "ip route add default via 192.0.2.1"
		}
	}
	t.Errorf("still broken: %s", next.ID)
}

func same(a, b lab.Cause) bool {
	return a.ID == b.ID && a.Repair.String() == b.Repair.String()
}

// works tries the lab, patiently or not: the pod may still be asking for its
// gateway since an earlier attempt, once a second.
func works(patiently bool) bool {
	wait := []string{"-W0.3"}
	if patiently {
		wait = []string{"-w5"}
	}
	for _, dst := range []string{machine.HostAddr, machine.Server} {
		ping := append([]string{"netns", "exec", "ns1", "ping", "-c1", dst}, wait...)
		if exec.Command("ip", ping...).Run() != nil {
			return false
		}
	}
	return true
}

// known: a cause has the values that are documented, and no others.
func known(t *testing.T, c lab.Cause) {
	t.Helper()
	want, ok := cause.Known()[c.ID]
	if !ok {
		t.Errorf("%s is not in Known", c.ID)
	}
	for name := range c.Values {
		if name != "certain" && !slices.Contains(want, name) {
			t.Errorf("%s has the value %s, which Known doesn't", c.ID, name)
		}
	}
	for _, name := range want {
		if _, ok := c.Values[name]; !ok {
			t.Errorf("%s lacks the value %s", c.ID, name)
		}
	}
	if len(c.Repair) == 0 {
		t.Errorf("%s has no repair", c.ID)
	} else if _, err := exec.LookPath(c.Repair[0]); err != nil {
		t.Errorf("%s: %v", c.ID, err)
	}
}

func TestEveryCauseIsSeenInATest(t *testing.T) {
	var seen []string
	for _, b := range breakages() {
		seen = append(seen, b.want)
		if strings.Contains(b.name, "/") {
			t.Errorf("%q can't be run alone", b.name)
		}
	}
	for id := range cause.Known() {
		if !slices.Contains(seen, id) {
			t.Errorf("no breakage shows %s", id)
		}
	}
}
