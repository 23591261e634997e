package trace

import (
	"net/netip"

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
	values := []string{"addr", a.request.To.String(), "dev", d.Name}
	if last := request.last(); last != nil {
		end.NS, end.Dev = last.device.space.name, last.device.Name
		if last.dir == lab.DirOut && last.device != d {
			end.Reason, end.Values = NobodyHas, named(values)
			return end, nil
		}
	}
	router, why, err := a.whyNotProxied(d, a.request.To)
	if err != nil {
		return end, err
	}
	if router != nil {
		values = append(values, "router", router.space.name, "router_dev", router.Name, "why", why)
	}
	end.Reason, end.Values = NobodyHas, named(values)
	end.Look = a.inNS(d.space, "ip", "neigh", "show", "to", a.request.To.String(), "dev", d.Name)
	return end, nil
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
	switch {
	case r.local && ignore != 0:
		return router, "arp-ignore", nil
	case proxy == 0:
		return router, "proxy-arp-off", nil
	case forwarding == 0:
		return router, "forwarding-off", nil
	case r.refused != 0:
		return router, "no-route", nil
	case r.dev == router:
		return router, "same-device", nil
	case whole.refused != 0:
		return router, "rp-filter", nil
	}
	return nil, "", nil
}
