package main

// What each check must say of a lab with one thing otherwise, and why: from facts.md, or
// by reasoning from what is and is not there.

// because is what the next checks of a row say, a mark for each, and why.
type because struct{ marks, why string }

// expected is a row: what is left out, or set, and its cells in order.
type expected struct {
	args  string
	cells []because
}

const everythingHolds = "the lab's own tests hold every check to that"

// proxyARPCells are own-stack, link-up, way-out, forwards, gateway-answers,
// host-reachable, outside-answers, outside-sees-host.
func proxyARPCells() []expected {
	return []expected{
		{"", []because{{"✓✓✓✓✓✓✓✓", everythingHolds}}},
		{"--skip=namespace", []because{
			{"✗", "there is no namespace to have interfaces"},
			{"✗✗", "its end of the cable could not be moved anywhere, so there is none in it, nor a route"},
			{"✓", "the host's end is there, forwarding is set on it, and the host has a route outside: the lookup asks no pod"},
			{"✗✗✗✗", "nobody is there to ask or to send"},
		}},
		{"--skip=veth", []because{
			{"✓", "the namespace is there, with lo alone"},
			{"✗", "there is no such device"},
			{"✗", "a route needs its device: none could be added, so the pod's network is unreachable"},
			{"✗", "there is no veth for a packet to come in on"},
			{"✗✗✗✗", "there is no device to ask on or to send from"},
		}},
		{"--skip=routes", []because{
			{"✓✓", "they come before"},
			{"✗", "section 4: without a default route, Network is unreachable at once"},
			{"✓", "what the host does with a packet does not depend on the pod's routes"},
			{"✓", "section 1: all that the answer needs is on the host; the question needs a device and an address only"},
			{"✗✗✗", "section 4: Network is unreachable; neither of the addresses is in 1.1.1.0/24"},
		}},
		{"--skip=forwarding", []because{
			{"✓✓✓", "all of it is inside the pod"},
			{"✗", "section 1: ip_forward=0"},
			{"✗", "section 1: ip_forward=0: no answer"},
			{"✗✗✗", "section 4: without the answer, Host Unreachable from itself"},
		}},
		{"--skip=proxy-arp", []because{
			{"✓✓✓", "all of it is inside the pod"},
			{"✓", "forwarding does not depend on proxy_arp"},
			{"✗", "section 1: proxy_arp off on veth and all: no answer"},
			{"✗✗✗", "section 4: without the answer, Host Unreachable from itself"},
		}},
		{"--skip=return-route", []because{
			{"✓✓✓", "all of it is inside the pod"},
			{"✓✓", "section 1: rp_filter 0 without the return route: forwarded, and answered"},
			{"✗✗✗", "section 4: return route, rp_filter 0: the reply leaves by the default route, also once its address is translated back"},
		}},
		{"--skip=masquerade", []because{
			{"✓✓✓✓✓", "they are proven before it, and are nothing of its"},
			{"✓", "a reply of the host itself needs no translation"},
			{"✗✗", "section 4: MASQUERADE, and outside has no route back: silence"},
		}},
		{"--set=proxy_arp=0", []because{
			{"✓✓✓✓", "as with proxy-arp left out"},
			{"✗✗✗✗", "section 1: proxy_arp off; section 4: Host Unreachable"},
		}},
		{"--set=proxy_delay=10", []because{
			{"✓✓✓✓✓✓✓✓", "section 2: the answer comes later, after 44 ms in the median, and a check waits 900"},
		}},
		{"--set=proxy_delay=80", []because{
			{"✓✓✓✓✓✓✓✓", "section 2: the answer comes within 0.8 s, and a check waits longer"},
		}},
		{"--set=forwarding=0", []because{
			{"✓✓✓", "all of it is inside the pod"},
			{"✗✗", "section 1: ip_forward=1 but conf/veth/forwarding=0: no answer"},
			{"✗✗✗", "section 4: without the answer, Host Unreachable from itself"},
		}},
		{"--set=rp_filter=1", []because{
			{"✓✓✓", "all of it is inside the pod"},
			{"✓", "the route lookup says so, although the filter would refuse the source"},
			{"✗", "section 1: rp_filter 1 or 2 without the return route: no answer. It is tried before that route is there"},
			{"✓✓✓", "section 1: rp_filter 1 or 2 with the return route: yes"},
		}},
		{"--set=rp_filter=2", []because{
			{"✓✓✓", "all of it is inside the pod"},
			{"✓", "the route lookup says so, although the filter would refuse the source"},
			{"✗", "section 1: rp_filter 1 or 2 without the return route: no answer. It is tried before that route is there"},
			{"✓✓✓", "section 1: rp_filter 1 or 2 with the return route: yes"},
		}},
		{"--set=forward-policy=DROP", []because{
			{"✓✓✓", "all of it is inside the pod"},
			{"✓", "a route lookup asks no firewall"},
			{"✓", "section 1: FORWARD policy DROP: yes (ARP never passes FORWARD)"},
			{"✓", "what is for the host itself passes INPUT, not FORWARD"},
			{"✗✗", "section 4: FORWARD policy DROP: silence"},
		}},
		{"--set=rp_filter=1 --set=forward-policy=DROP", []because{
			{"✓✓✓✓", "as with either"},
			{"✗", "as with rp_filter alone: it is tried before the return route is there"},
			{"✓", "what is for the host itself passes INPUT, not FORWARD"},
			{"✗✗", "as with forward-policy alone: silence"},
		}},
		{"--set=default-route=none", []because{
			{"✓✓✓", "all of it is inside the pod"},
			{"✗", "there is no route outside to forward by"},
			{"✗", "section 1: no default route, and no other route to the target: no answer"},
			{"✗✗✗", "section 4: the host's default route: Host Unreachable"},
		}},
		{"--set=route-order=default-first", []because{
			{"✓✓", "they come before"},
			{"✗", "section 4: default route before the link route: Nexthop has invalid gateway. Then it is not there"},
			{"✓✓", "as with routes left out"},
			{"✗✗✗", "section 4: default route in ns1: Network is unreachable"},
		}},
		{"--set=link-scope=global", []because{
			{"✓✓", "they come before"},
			{"✗", "section 4: link route given scope global, then default: Nexthop has invalid gateway"},
			{"✓✓", "as with routes left out"},
			{"✗✗✗", "section 4: default route in ns1: Network is unreachable"},
		}},
		{"--set=pod-prefix=32", []because{
			{"✓✓✓✓✓✓✓✓", "all that is sent to is outside of 1.1.1.0/24, and goes by the default route either way"},
		}},
		{"--skip=forwarding --set=ip_forward=1", []because{
			{"✓✓✓✓✓✓✓✓", "section 1: ip_forward=1 sets it for every device, veth's default included: the step finds it done"},
		}},
	}
}

// calicoCells are own-stack, link-up, address, way-out, way-in, forwards, first-asks,
// second-asks, one-hop, unheard, every-pod.
func calicoCells() []expected {
	return []expected{
		{"", []because{{"✓✓✓✓✓✓✓✓✓✓✓", everythingHolds}}},
		{"--skip=namespaces", []because{
			{"✗", "there is no namespace to have interfaces"},
			{"✗✗✗", "the cables are made with one end in place, so there is none, and nothing on it"},
			{"✗✗", "nor is there the host's end, to route to or to come in on"},
			{"✗✗✗✗✗", "nobody is there to ask, to send, or to listen"},
		}},
		{"--skip=veth", []because{
			{"✓", "the namespace is there, with lo alone"},
			{"✗✗✗", "there is no eth0, and nothing can be put on it"},
			{"✗✗", "there is no cali… on the host"},
			{"✗✗✗✗✗", "there is no device to ask on, to send from, or to listen at"},
		}},
		{"--skip=inside", []because{
			{"✓✓", "they come before"},
			{"✗✗", "the address and the routes are this step"},
			{"✓✓", "both are of the host alone"},
			{"✗✗", "section 1: the sender's address is 0.0.0.0, or there is none to ask with"},
			{"✗", "section 4: without a default route, Network is unreachable"},
			{"✗", "the question was not answered, so that nothing was heard proves nothing"},
			{"✗", "the ring needs what one-hop needs, of every pod"},
		}},
		{"--skip=routes", []because{
			{"✓✓✓✓", "all of it is inside the pod"},
			{"✗", "the default route leads there now"},
			{"✓", "the lookup finds the default route, and forwarding is on"},
			{"✓✓", "section 1: rp_filter 0 without the return route: yes"},
			{"✗", "what is for pod2 leaves by the default route, as section 4 has it of a reply"},
			{"✓", "the question is answered on pod1's own cable, so no other pod hears it"},
			{"✗", "the ring needs what one-hop needs, of every pod"},
		}},
		{"--skip=forwarding", []because{
			{"✓✓✓✓", "all of it is inside the pod"},
			{"✓", "the host's own packets need no forwarding"},
			{"✗", "section 1: ip_forward=0"},
			{"✗✗", "section 1: ip_forward=0: no answer"},
			{"✗", "section 4: without the answer, Host Unreachable"},
			{"✗", "the question was not answered, so that nothing was heard proves nothing"},
			{"✗", "the ring needs what one-hop needs, of every pod"},
		}},
		{"--skip=proxy-arp", []because{
			{"✓✓✓✓✓✓", "they come before"},
			{"✗✗", "section 1: proxy_arp off: no answer"},
			{"✗", "section 4: without the answer, Host Unreachable"},
			{"✗", "the question was not answered, so that nothing was heard proves nothing"},
			{"✗", "the ring needs what one-hop needs, of every pod"},
		}},
		{"--set=rp_filter=1", []because{
			{"✓✓✓✓✓✓✓✓✓✓✓", "section 1: rp_filter 1 or 2 with the return route: yes; here the routes come first"},
		}},
		{"--set=forward-policy=DROP", []because{
			{"✓✓✓✓✓✓", "none of it passes a firewall"},
			{"✓✓", "section 1: ARP never passes FORWARD"},
			{"✗", "section 4: FORWARD policy DROP: silence"},
			{"✓", "ARP again"},
			{"✗", "the ring needs what one-hop needs, of every pod"},
		}},
		{"--set=default-route=none", []because{
			{"✓✓✓✓✓✓", "the pods' routes are there, and lead from one to the other"},
			{"✗✗", "section 1: no default route, and no other route to the target: no answer"},
			{"✗", "section 4: two /32 pods on one host: fails when the host has no default route"},
			{"✗", "the question was not answered, so that nothing was heard proves nothing"},
			{"✗", "the ring needs what one-hop needs, of every pod"},
		}},
		{"--set=pod-prefix=26", []because{
			{"✓✓", "they come before"},
			{"✓", "it has that address"},
			{"✗", "section 4: in its own subnet a pod looks for others on the link, by no gateway"},
			{"✓✓✓✓", "all of it is of the host, or about the gateway"},
			{"✓", "section 1: the host has a unicast route to pod2 through another device, so it answers for pod2 as well"},
			{"✓", "the question is answered on pod1's own cable, so no other pod hears it"},
			{"✗", "the next pod is asked for on the link, and the gateway never: it has no MAC there"},
		}},
		{"--set=proxy_arp=0", []because{
			{"✓✓✓✓✓✓", "as with proxy-arp left out"},
			{"✗✗✗✗✗", "section 1: proxy_arp off; the ring needs the gateway"},
		}},
		{"--set=link-scope=global", []because{
			{"✓✓✓", "the address comes with the device, whatever the routes"},
			{"✗", "section 4: link route given scope global, then default: Nexthop has invalid gateway"},
			{"✓✓✓✓", "all of it is of the host, or needs no more than the link route"},
			{"✗", "section 4: without a default route, Network is unreachable"},
			{"✓", "the question is answered on pod1's own cable, so no other pod hears it"},
			{"✗", "the ring needs what one-hop needs, of every pod"},
		}},
	}
}
