package trace

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"netlab/lab"
)

// nobodyEnding: nobody answered the ARP question.
func (a *run) nobodyEnding(request *leg) (lab.Ending, error) {
	d := a.asking
	end := lab.Ending{Outcome: lab.Lost, NS: d.space.name, Dev: d.Name, Leg: lab.LegRequest}
	f := &finder{run: a, space: d.space, kind: lab.LegRequest}
	if ok, err := f.link(d); err != nil || !ok {
		return f.into(end), err
	}
	if ok, err := f.reachable(d, a.request.To); err != nil || !ok {
		return f.into(end), err
	}
	values := []string{"addr", a.request.To.String(), "dev", d.Name}
	if last := request.last(); last != nil {
		end.NS, end.Dev = last.device.space.name, last.device.Name
		if last.dir == lab.DirOut && last.device != d {
			end.Reason, end.Values = NobodyHas, named(values)
			return end, nil
		}
	}
	more, look, err := a.unproxied(d, a.request.To)
	if err != nil {
		return end, err
	}
	// Without a router there is nothing to show: the question left no entry behind.
	end.Reason, end.Values, end.Look = NobodyHas, named(append(values, more...)), look
	return end, nil
}

// unproxied is why no router answered, as values, and the command that shows it.
func (a *run) unproxied(d *device, to netip.Addr) (values []string, look lab.Command, err error) {
	router, why, err := a.whyNotProxied(d, to)
	if err != nil || router == nil {
		return nil, nil, err
	}
	values = []string{"router", router.space.name, "router_dev", router.Name, "why", why}
	setting := map[string]string{"proxy-arp-off": "proxy_arp", "forwarding-off": "forwarding", "arp-ignore": "arp_ignore"}[why]
	asker, err := lookup{space: d.space, dst: to}.ask()
	if err != nil {
		return nil, nil, err
	}
	switch {
	case setting != "":
		look = a.inNS(router.space, "sysctl", sysctlName("net/ipv4/conf/"+router.Name+"/"+setting))
	case why == "arp-off":
		look = a.inNS(router.space, "ip", "link", "show", "dev", router.Name)
	case why == "rp-filter" && asker.src.IsValid():
		look = a.inNS(router.space, "ip", "route", "get", asker.src.String())
	default:
		look = a.inNS(router.space, "ip", "route", "get", to.String())
		if asker.src.IsValid() {
			look = append(look, "from", asker.src.String(), "iif", router.Name)
		}
	}
	if why == "refusing-route" {
		if words, _, ok, err := router.space.refusing(to); err != nil {
			return nil, nil, err
		} else if ok {
			values = append(values, "route", words)
		}
	}
	if why == "refusing-rule" {
		look = a.inNS(router.space, "ip", "rule", "show")
		whole, err := lookup{space: router.space, dst: to, src: asker.src, iif: router}.ask()
		if err != nil {
			return nil, nil, err
		}
		if words, _, ok, err := router.space.refusingRule(whole.refused, asker.src, to, router); err != nil {
			return nil, nil, err
		} else if ok {
			values = append(values, "rule", words)
		}
	}
	return values, look, nil
}

// whyNotProxied says why the one router on the link did not answer for an address
// beyond it (arp_process, net/ipv4/arp.c; facts.md, section 1). Where there is no
// one router, it says nothing.
func (a *run) whyNotProxied(d *device, to netip.Addr) (*device, string, error) {
	all, err := a.scene.segment(d)
	if err != nil {
		return nil, "", err
	}
	var router *device
	for _, o := range all {
		if m, err := o.master(); err != nil {
			return nil, "", err
		} else if m != nil || o.space == d.space {
			continue // IP knows a port by its bridge
		}
		if router != nil {
			return nil, "", nil
		}
		router = o
	}
	if router == nil {
		return nil, "", nil
	}
	f := &finder{run: a, space: router.space}
	forwarding, err := f.number("net/ipv4/conf/" + router.Name + "/forwarding")
	if err != nil {
		return nil, "", err
	}
	proxy, err := f.inForce("proxy_arp", router)
	if err != nil {
		return nil, "", err
	}
	ignore, err := f.inForce("arp_ignore", router)
	if err != nil {
		return nil, "", err
	}
	r, err := lookup{space: router.space, dst: to}.ask()
	if err != nil {
		return nil, "", err
	}
	asker := lookup{space: d.space, dst: to}
	from, err := asker.ask()
	if err != nil {
		return nil, "", err
	}
	whole, err := lookup{space: router.space, dst: to, src: from.src, iif: router}.ask()
	if err != nil {
		return nil, "", err
	}
	_, _, refusing, err := router.space.refusing(to)
	if err != nil {
		return nil, "", err
	}
	_, _, byRule, err := router.space.refusingRule(whole.refused, from.src, to, router)
	if err != nil {
		return nil, "", err
	}
	now, err := router.fresh()
	if err != nil || now == nil {
		return nil, "", err
	}
	switch {
	case now.RawFlags&unix.IFF_NOARP != 0: // arp_rcv
		return router, "arp-off", nil
	case !r.local && proxy == 0 && forwarding == 0: // no router, nor meant to be one
		return nil, "", nil
	case r.local && ignore != 0:
		return router, "arp-ignore", nil
	case proxy == 0:
		return router, "proxy-arp-off", nil
	case forwarding == 0:
		return router, "forwarding-off", nil
	case r.refused != 0 && refusing:
		return router, "refusing-route", nil
	case r.refused != 0:
		return router, "no-route", nil
	case r.dev == router:
		return router, "same-device", nil
	case whole.refused != 0 && byRule:
		return router, "refusing-rule", nil
	case whole.refused != 0:
		return router, "rp-filter", nil
	}
	return nil, "", nil
}
