package trace

import (
	"net/netip"

	"netlab/lab"
	"netlab/lab/cause"
	"netlab/lab/kernel"
)

// passage is a packet as it goes through a namespace's firewall.
type passage struct {
	src, dst         netip.Addr
	in, out          *device // nil: none, or not known
	proto            byte
	icmp             byte
	srcPort, dstPort uint16
	reply            bool
	bridged          bool // at the hooks of a bridge, not of a host
}

func (a *run) passage(g *sighting, in, out *device) passage {
	return passage{src: g.src, dst: g.dst, in: in, out: out, proto: byte(g.proto), icmp: g.icmpType,
		srcPort: g.srcPort, dstPort: g.dstPort, reply: g.kind != KindRequest}
}

// firewall follows the packet through the chains of the hooks, in order. A rule
// that only may have dropped it is kept for when no certain reason is found.
func (f *finder) firewall(p passage, hooks ...string) (bool, error) {
	for _, hook := range hooks {
		q := cause.Passage{Hook: hook, Src: p.src, Dst: p.dst, Proto: p.proto, ICMP: p.icmp,
			SrcPort: p.srcPort, DstPort: p.dstPort, Reply: p.reply, Bridged: p.bridged}
		if p.in != nil && hook != "output" && hook != "postrouting" {
			q.In = p.in.LinkAttrs
		}
		if p.out != nil && hook != "prerouting" && hook != "input" {
			q.Out = p.out.LinkAttrs
		}
		drop, certain, err := cause.Stops(f.wall(), q)
		if err != nil {
			return false, f.space.unread("read the firewall", err)
		}
		if drop == nil {
			continue
		}
		look := f.inNS(f.space, drop.Repair...)
		if certain {
			f.reason, f.values, f.look = Firewall, drop.Values, look
			return false, nil
		}
		if f.maybe == nil {
			f.maybe = &lab.Ending{Reason: Firewall, Values: drop.Values, Look: look}
		}
	}
	return true, nil
}

func (f *finder) wall() *kernel.Firewall {
	if f.space.name == kernel.Host {
		return f.scene.kernel.Firewall()
	}
	return f.space.n.Firewall()
}
