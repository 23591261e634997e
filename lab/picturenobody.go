package lab

import (
	"net/netip"
	"slices"
	"strings"
)

// Nobody is a gateway that packets are sent to, and that is no device's address
// in the picture.
type Nobody struct {
	NS   string `json:"ns,omitempty"` // where the route is
	Addr string `json:"addr"`
	// By is the device that answers ARP for it all the same; nil: none does.
	By *End `json:"answered_by,omitempty"`
}

// Nobodies lists the gateways that exist nowhere, each once a namespace.
func (p Picture) Nobodies() []Nobody {
	owned := map[string]bool{}
	if p.Outside != nil {
		owned[p.Outside.Addr] = true
	}
	for _, s := range p.Spaces {
		for _, d := range s.Devices {
			for _, a := range d.Addrs {
				addr, _, _ := strings.Cut(a.Addr, "/")
				owned[addr] = true
			}
		}
	}
	var all []Nobody
	for _, s := range p.Spaces {
		for _, r := range s.Routes {
			dev := s.device(r.Dev)
			if r.Via == "" || owned[r.Via] || dev == nil || dev.Peer == nil {
				continue
			}
			n := Nobody{NS: s.Name, Addr: r.Via}
			if p.answers(*dev.Peer, dev) {
				n.By = dev.Peer
			}
			if !slices.ContainsFunc(all, func(m Nobody) bool { return m.NS == n.NS && m.Addr == n.Addr }) {
				all = append(all, n)
			}
		}
	}
	return all
}

// answers tells whether the device at the end of a cable answers ARP for others:
// the conditions are the kernel's (facts.md, section 1), as far as a picture
// shows them.
func (p Picture) answers(end End, asker *Device) bool {
	s, d := p.Space(end.NS), p.Device(end.NS, end.Name)
	forwards := valueOf(s.Flags, "ip_forward") == "1" && valueOf(d.Flags, "forwarding") != "0" ||
		valueOf(d.Flags, "forwarding") == "1"
	proxies := valueOf(d.Flags, "proxy_arp") == "1" || valueOf(s.Flags, "all/proxy_arp") == "1"
	elsewhere := slices.ContainsFunc(s.Devices, func(x *Device) bool { return x.Uplink && !x.Unrouted }) ||
		slices.ContainsFunc(s.Routes, func(r Route) bool { return r.Dst == "default" && r.Dev != d.Name })
	own := valueOf(d.Flags, "rp_filter")
	filters := valueOf(s.Flags, "rp_filter") != "" || own != "" && own != "0"
	filtered := filters && !s.leadsBack(d.Name, asker)
	return forwards && proxies && elsewhere && !filtered
}

// leadsBack tells whether a route out of dev leads to the asker.
func (s *Space) leadsBack(dev string, asker *Device) bool {
	for _, a := range asker.Addrs {
		addr, err := netip.ParsePrefix(a.Addr)
		if err != nil {
			continue
		}
		for _, r := range s.Routes {
			dst, err := netip.ParsePrefix(r.Dst)
			if single, err1 := netip.ParseAddr(r.Dst); err1 == nil {
				dst, err = netip.PrefixFrom(single, single.BitLen()), nil
			}
			if err == nil && r.Dev == dev && dst.Contains(addr.Addr()) {
				return true
			}
		}
	}
	return false
}

func valueOf(flags []Flag, key string) string {
	for _, f := range flags {
		if f.Key == key {
			return f.Value
		}
	}
	return ""
}
