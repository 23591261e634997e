package op

import (
	"strings"

	"netlab/lab"
)

// How each op is seen in a picture. Those that take back draw nothing, nor do
// the table and chain of a rule: the rule is drawn with them.

func (o NetnsAdd) Draw(p *lab.Picture) { p.Space(o.Name) }

func (o VethAdd) Draw(p *lab.Picture) {
	p.Cable(lab.End{NS: o.NS, Name: o.Name}, lab.End{NS: o.NS, Name: o.Peer})
}

func (o LinkSetNetns) Draw(p *lab.Picture) { p.Move(o.NS, o.Name, o.To) }

func (o LinkSetUp) Draw(p *lab.Picture) {
	state := lab.StateUp
	if o.Down {
		state = lab.StateDown
	}
	p.SetState(o.NS, o.Name, state)
}

func (o AddrAdd) Draw(p *lab.Picture) {
	d := p.Device(o.NS, o.Link)
	d.Addrs = append(d.Addrs, lab.Addr{Addr: o.Addr.String()})
}

func (o RouteAdd) Draw(p *lab.Picture) {
	r := lab.Route{Dst: o.dst(), Dev: o.Dev, Scope: o.Scope}
	if o.Via.IsValid() {
		r.Via = o.Via.String()
	}
	s := p.Space(o.NS)
	s.Routes = append(s.Routes, r)
}

// Draw leaves out what keeps IPv6 quiet: it is about noise, not about the lab.
func (o SysctlSet) Draw(p *lab.Picture) {
	part := strings.Split(o.Key, "/")
	name := part[len(part)-1]
	if name == "disable_ipv6" {
		return
	}
	if dev := sysctlDevice(o.Key); dev != "" {
		d := p.Device(o.NS, dev)
		d.Flags = lab.SetFlag(d.Flags, name, o.Value)
		return
	}
	if len(part) == 5 { // net/ipv4/conf/all/NAME
		name = part[3] + "/" + name
	}
	s := p.Space(o.NS)
	s.Flags = lab.SetFlag(s.Flags, name, o.Value)
}

func (o IptablesAppend) Draw(p *lab.Picture) {
	o.Comment = ""
	drawRule(p, lab.Rule{Kind: o.Table, Table: o.Table, Chain: o.Chain, Text: lab.Command(o.rule()).String()})
}

func (o NftRuleAdd) Draw(p *lab.Picture) {
	drawRule(p, lab.Rule{Kind: "nat", Table: o.Table, Chain: o.Chain, Text: "ip saddr " + o.Saddr.String() + " masquerade"})
}

// drawRule adds a rule of the host's firewall.
func drawRule(p *lab.Picture, r lab.Rule) {
	host := p.Space("")
	host.Rules = append(host.Rules, r)
}
