package op

import (
	"net/netip"
	"strconv"
	"strings"

	"netlab/lab"
	"netlab/lab/iproute"
)

// How each op is seen in a picture. Those that take back draw nothing, nor do
// the table and chain of a rule: the rule is drawn with them.

func (o NetnsAdd) Draw(p *lab.Picture) { p.Space(o.Name) }

func (o VethAdd) Draw(p *lab.Picture) {
	p.Cable(lab.End{NS: o.NS, Name: o.Name}, lab.End{NS: o.peerNS(), Name: o.Peer})
	p.Device(o.NS, o.Name).MAC = strings.ToLower(o.MAC)
}

func (o BridgeAdd) Draw(p *lab.Picture) { p.Link(o.NS, o.Name, "bridge") }

func (o LinkSetMaster) Draw(p *lab.Picture) { p.Device(o.NS, o.Name).Master = o.Master }

func (o LinkSetAddress) Draw(p *lab.Picture) { p.Device(o.NS, o.Name).MAC = strings.ToLower(o.MAC) }

func (o LinkSetMTU) Draw(p *lab.Picture) {
	d := p.Device(o.NS, o.Name)
	d.Flags = lab.SetFlag(d.Flags, "mtu", strconv.Itoa(o.MTU))
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

// Draw takes off what a lab deletes while it runs.
func (o AddrDel) Draw(p *lab.Picture) { p.DropAddr(o.NS, o.Link, o.Addr.String()) }

func (o RouteAdd) Draw(p *lab.Picture) { p.AddRoute(o.NS, o.drawn()) }

func (o RouteDel) Draw(p *lab.Picture) { p.DropRoute(o.NS, RouteAdd(o).drawn()) }

func (o RouteDelAny) Draw(p *lab.Picture) {
	p.DropRoute(o.NS, RouteAdd{Dst: o.Dst, Dev: o.Dev}.drawn())
}

func (o RouteAdd) drawn() lab.Route {
	word := func(a netip.Addr) string {
		if !a.IsValid() {
			return ""
		}
		return a.String()
	}
	return lab.Route{
		Type: o.Type, Dst: iproute.Dst(o.Dst), Via: word(o.Via), Dev: o.Dev, Scope: o.Scope, Src: word(o.Src), Onlink: o.Onlink,
	}
}

func (o NeighAdd) Draw(p *lab.Picture) {
	p.SetNeigh(o.NS, o.Dev, o.Addr.String(), strings.ToLower(o.MAC))
}

func (o NeighDel) Draw(p *lab.Picture) { p.SetNeigh(o.NS, o.Dev, o.Addr.String(), "") }

// Draw leaves out what is about IPv6: a lab only keeps it quiet.
func (o SysctlSet) Draw(p *lab.Picture) {
	part := strings.Split(o.Key, "/")
	name := part[len(part)-1]
	if len(part) > 1 && part[1] == "ipv6" {
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

func (o IptablesInsert) Draw(p *lab.Picture) { IptablesAppend(o).Draw(p) }

func (o IptablesPolicy) Draw(p *lab.Picture) {
	drawRule(p, lab.Rule{Kind: filterTable, Table: filterTable, Chain: o.Chain, Text: "-P " + o.Policy})
}

func (o NftRuleAdd) Draw(p *lab.Picture) {
	kind := "nat"
	if o.Drop {
		kind = filterTable
	}
	drawRule(p, lab.Rule{Kind: kind, Table: o.Table, Chain: o.Chain, Text: "ip saddr " + o.Saddr.String() + " " + o.verdict()})
}

// drawRule adds a rule of the host's firewall.
func drawRule(p *lab.Picture, r lab.Rule) {
	host := p.Space("")
	host.Rules = append(host.Rules, r)
}
