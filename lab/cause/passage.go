package cause

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Passage is one packet at one hook of a namespace's firewall.
type Passage struct {
	Hook     string             // "prerouting", "input", "forward", "output", "postrouting"
	In, Out  *netlink.LinkAttrs // nil: none at this hook, or not known
	Src, Dst netip.Addr
	Proto    byte // unix.IPPROTO_*
	ICMP     byte // the type
	// SrcPort and DstPort are TCP's or UDP's; 0: not known.
	SrcPort, DstPort uint16
	// Bridged: it is a frame that a bridge passes on, at the hooks of the bridge family.
	Bridged bool
	// Reply: it belongs to a connection that conntrack has seen already.
	Reply bool
}

// Stop is a base chain of a firewall that drops or rejects a packet, or may.
type Stop struct {
	lab.Cause      // a FilterDrop, whose Repair is the command that shows the chain
	Certain   bool // otherwise the packet may have passed
	// All: it stops every packet that no rule before has let through. Otherwise a
	// rule is meant for packets such as this one.
	All bool
	// Through are the chains that all such packets come through first, the base
	// chain among them.
	Through []string
	// Own is the chain that has a rule with the comment given to Stopped; empty: none.
	Own string
}

// Stops tells whether a firewall drops or rejects the packet, as Find would for a
// lab's: the first of those that Stopped lists which is certain, else the first, or nil.
func Stops(firewall *kernel.Firewall, p Passage) (stop *lab.Cause, certain bool, err error) {
	stopped, err := find(firewall, "", false, p)
	for _, s := range stopped {
		if s.Certain {
			return &s.Cause, true, err
		}
	}
	if len(stopped) > 0 {
		return &stopped[0].Cause, false, err
	}
	return nil, false, err
}

// Stopped lists every base chain that stops one of the packets, as if the rules with
// that comment, if it isn't empty, were not there. A chain is there once for each
// packet that it stops. iptables-legacy is asked on the host alone, and only where
// that registers no table (see kernel.Firewall.LegacyTable).
func Stopped(firewall *kernel.Firewall, without string, packets ...Passage) ([]Stop, error) {
	return find(firewall, without, true, packets...)
}

// find looks at the legacy variant too where that could tell nothing new, if all.
func find(firewall *kernel.Firewall, without string, all bool, packets ...Passage) ([]Stop, error) {
	f := &finder{firewall: firewall, without: without}
	chains, err := firewall.NftChains()
	if err != nil {
		return nil, err
	}
	_, unreadable := os.ReadFile("/proc/net/ip_tables_names")
	for _, p := range packets {
		q := p.packet()
		of := routed
		if p.Bridged {
			of = bridged
		}
		bases, err := entered(chains, of, p.Hook, nftables.ChainTypeFilter, nftables.ChainTypeRoute)
		if err != nil {
			return nil, err
		}
		for _, c := range bases {
			f.own = ""
			family := kernel.FamilyOf(c)
			if p.Bridged {
				family = "bridge"
			}
			w := walk{rules: f.nftRules(q, family, c.Table.Name)}
			if err := w.run(c.Name, policyWord(c)); err != nil {
				return nil, err
			}
			f.stops(q, barrier{"nftables", family, c.Table.Name, c.Name}, &w)
		}
		if !p.Bridged && (all || len(f.certain) == 0) && !errors.Is(unreadable, fs.ErrPermission) {
			if err := f.legacyFilters(q); err != nil {
				return nil, err
			}
		}
	}
	return f.stopped, nil
}

func (p Passage) packet() packet {
	q := packet{hook: p.Hook, in: device{LinkAttrs: p.In}, out: device{LinkAttrs: p.Out}, src: p.Src, dst: p.Dst,
		proto: p.Proto, icmp: p.ICMP, srcPort: p.SrcPort, dstPort: p.DstPort, state: expr.CtStateBitNEW, reply: p.Reply, bridged: p.Bridged}
	if p.Reply {
		q.state = expr.CtStateBitESTABLISHED
	}
	return q
}

// stops is dropped, for a packet that belongs to no lab.
func (f *finder) stops(p packet, b barrier, w *walk) {
	happens, by := w.happens(drops)
	if happens == no {
		return
	}
	note, notes := f.found, &f.certain
	if happens == maybe {
		note, notes = f.perhaps, &f.uncertain
	}
	note(FilterDrop, f.showing(b), "backend", b.backend, "family", b.family, "table", b.table,
		"chain", by.chain, "base", b.base, "hook", p.hook, "rule", by.says)
	f.stopped = append(f.stopped, Stop{
		Cause: (*notes)[len(*notes)-1], Certain: happens == yes, All: by.all, Through: w.through, Own: f.own,
	})
}
