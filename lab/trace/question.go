package trace

import (
	"bytes"
	"net"
	"net/netip"

	"netlab/lab"
)

// question is an ARP question that the packet's way needed: the one who asks, by
// MAC, and the address.
type question struct {
	asker net.HardwareAddr
	addr  netip.Addr
}

// questions are those of the devices by which a packet went on, or should have.
func (a *run) questions(legs []*leg) []question {
	if a.asking != nil {
		return []question{{a.asking.HardwareAddr, a.request.To}}
	}
	var all []question
	add := func(sp *space, decisions []lab.Decision) {
		for _, d := range decisions {
			if d.Kind != lab.DecideNeighbour {
				continue
			}
			dev, err := sp.deviceNamed(d.Values["dev"])
			addr, addrErr := netip.ParseAddr(d.Values["addr"])
			if err == nil && addrErr == nil {
				all = append(all, question{dev.HardwareAddr, addr})
			}
		}
	}
	add(a.scene.from, a.unsent)
	for _, l := range legs {
		if first := l.first(); first != nil {
			add(first.device.space, l.start)
		}
		for _, g := range l.main {
			add(g.device.space, g.then)
		}
	}
	return all
}

// concerns tells whether an ARP frame is the question, or its answer.
func (g *sighting) concerns(q question) bool {
	switch g.kind {
	case KindARPRequest:
		return g.dst == q.addr && bytes.Equal(g.arpMAC, q.asker)
	case KindARPReply:
		return g.src == q.addr && bytes.Equal(g.dstMAC, q.asker)
	}
	return false
}
