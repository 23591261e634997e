package main

import (
	"fmt"
	gomaps "maps"
	"slices"
	"strings"
)

// claim is something that others made and that must be there in the end.
type claim struct {
	what  string
	shows string // a script that prints what makes it that thing
	was   string
	gone  string // a script that takes it away
}

func (c claim) there() error {
	now, err := shell(c.shows)
	if err != nil || now != c.was {
		return fmt.Errorf("it was %q, and is %q", c.was, now)
	}
	return nil
}

// meddling is something that others do on the host of labs.
type meddling struct {
	script string // what is done; what can't be done is not
	// shows and gone are of what it makes, if it makes something; see claim.
	shows, gone string
	finished    bool // it is about objects of the lab that have an identity by now
}

// meddlings are about NS, a namespace of the lab, and LINK, a link of its on the
// host; N is a number that differs each time.
func meddlings() map[string]meddling {
	return map[string]meddling{
		"delete the namespace":      {script: "ip netns del NS"},
		"delete the link":           {script: "ip link del LINK"},
		"rename the link":           {script: "ip link set LINK down && ip link set LINK name otherN", finished: true},
		"set the link down":         {script: "ip link set LINK down", finished: true},
		"flush the nat table":       {script: "iptables -t nat -F"},
		"flush the link's routes":   {script: "ip route flush dev LINK"},
		"flush the pod's addresses": {script: "ip -n NS addr flush scope global", finished: true},
		"change a sysctl of the link": {
			script: "sysctl -qw net/ipv4/conf/LINK/proxy_arp=0 net/ipv4/neigh/LINK/proxy_delay=33", finished: true,
		},
		"turn forwarding off":        {script: "sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.all.accept_redirects=0"},
		"add an address to the link": {script: "ip addr add 10.66.N.1/32 dev LINK", finished: true},
		"move the pod's link": {
			script: "l=$(ip -n NS -br link show type veth | cut -d@ -f1 | head -1); [ -n \"$l\" ] && ip -n NS link set $l netns internet name movedN", finished: true,
		},
		"replace the namespace": {
			script: "ip netns del NS && ip netns add NS", finished: true,
			shows: "stat -c %i /run/netns/NS; ip -n NS -br link; ip -n NS addr; ip -n NS route show table all", gone: "ip netns del NS",
		},
		"replace the link": {
			script: "ip link del LINK && ip link add LINK type bridge", finished: true,
			shows: "ip addr show dev LINK; ip route show table all dev LINK; sysctl -ar ^net.ipv4.*[./]LINK[./] | grep -v [./]forwarding", gone: "ip link del LINK",
		},
		"add a rule": {
			script: "iptables -t nat -A POSTROUTING -s 10.66.N.0/24 -j MASQUERADE",
			shows:  "iptables -t nat -S POSTROUTING | grep 10.66.N.0", gone: "iptables -t nat -D POSTROUTING -s 10.66.N.0/24 -j MASQUERADE",
		},
		"add a table": {
			script: "nft add table ip theirsN", shows: "nft list table ip theirsN", gone: "nft delete table ip theirsN",
		},
		"add a route": {
			script: "ip route add 10.66.N.0/24 via 192.0.2.1", shows: "ip route show 10.66.N.0/24", gone: "ip route del 10.66.N.0/24",
		},
		"add an address": {
			script: "ip addr add 10.66.N.9/32 dev up0", shows: "ip -br addr show up0 | grep -o 10.66.N.9", gone: "ip addr del 10.66.N.9/32 dev up0",
		},
		// On a host behind Docker's firewall; elsewhere there is nothing to do it to.
		"empty DOCKER-USER": {script: "iptables -F DOCKER-USER"},
		"restart Docker": {
			script: "iptables -F DOCKER-USER && iptables -F FORWARD && iptables -A FORWARD -j DOCKER-USER && iptables -A FORWARD -j DOCKER-FORWARD",
		},
		"open the firewall": {
			script: "iptables -S DOCKER-USER && iptables -P FORWARD ACCEPT",
			shows:  "iptables -S FORWARD | head -1", gone: "iptables -P FORWARD DROP",
		},
		// And on one without a firewall.
		"close the firewall": {
			script: "! nft list table ip filter && iptables -P FORWARD DROP",
			shows:  "iptables -S FORWARD | head -1", gone: "nft delete table ip filter",
		},
		"add a namespace": {
			script: "ip netns add theirsN", shows: "stat -c %i /run/netns/theirsN", gone: "ip netns del theirsN",
		},
	}
}

func meddlingNames() []string { return slices.Sorted(gomaps.Keys(meddlings())) }

// meddle does what others do, if there is something to do it to.
func (b *randomBed) meddle(l slot, d deed) error {
	m := meddlings()[d.verb]
	state, err := b.a.labs.Read(l.name)
	if err == nil && m.finished {
		for _, e := range state.Open() {
			if !e.Done {
				return nil // what the kill left has no identity yet: it is left alone then
			}
		}
	}
	needs := l.scenario.Needs(l.values)
	pick := func(of []string, none string) string {
		if len(of) == 0 {
			return none
		}
		return of[d.pick%len(of)]
	}
	ns, link := pick(needs.Namespaces, "none"), pick(needs.Links, "none")
	for _, c := range b.claims { // others don't meddle with each other
		if strings.Contains(c.gone+" ", " "+ns+" ") && strings.Contains(m.script, "NS") || strings.Contains(c.gone+" ", " "+link+" ") && strings.Contains(m.script, "LINK") {
			return nil
		}
	}
	fill := strings.NewReplacer("NS", ns, "LINK", link, "N", fmt.Sprint(len(b.claims))).Replace
	if d.verb == "flush the nat table" {
		for _, c := range b.claims {
			if strings.Contains(c.what, "a rule") {
				return nil
			}
		}
	}
	for strings.Contains(fill(m.shows), "10.66") && slices.ContainsFunc(b.claims, func(c claim) bool { return c.shows == fill(m.shows) }) {
		return nil
	}
	if _, err := shell(fill(m.script)); err != nil || m.shows == "" {
		return nil // there is nothing to meddle with
	}
	was, err := shell(fill(m.shows))
	if err != nil {
		return fmt.Errorf("%s: %w", fill(m.shows), err)
	}
	b.claims = append(b.claims, claim{what: d.verb, shows: fill(m.shows), was: was, gone: fill(m.gone)})
	return nil
}
