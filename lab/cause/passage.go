package cause

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

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
	// Reply: it belongs to a connection that conntrack has seen already.
	Reply bool
}

// Stops tells whether a firewall drops or rejects the packet, as Find would for a
// lab's: a FilterDrop, whose Repair is the command that shows the chain, or nil.
// It is certain, or the packet may have passed. iptables-legacy is asked on the
// host alone, and only where that registers no table (see kernel.Firewall.LegacyTable).
func Stops(firewall *kernel.Firewall, p Passage) (stop *lab.Cause, certain bool, err error) {
	q := packet{hook: p.Hook, in: device{LinkAttrs: p.In}, out: device{LinkAttrs: p.Out}, src: p.Src, dst: p.Dst,
		proto: p.Proto, icmp: p.ICMP, srcPort: p.SrcPort, dstPort: p.DstPort, state: expr.CtStateBitNEW, reply: p.Reply}
	if p.Reply {
		q.state = expr.CtStateBitESTABLISHED
	}
	f := &finder{firewall: firewall}
	chains, err := firewall.NftChains()
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) { // a kernel without nftables
		chains, err = nil, nil
	}
	if err != nil {
		return nil, false, err
	}
	bases, err := entered(chains, p.Hook, nftables.ChainTypeFilter, nftables.ChainTypeRoute)
	if err != nil {
		return nil, false, err
	}
	for _, c := range bases {
		w := walk{rules: f.nftRules(q, familyWord(c), c.Table.Name)}
		if err := w.run(c.Name, policyWord(c)); err != nil {
			return nil, false, err
		}
		f.stops(q, barrier{"nftables", familyWord(c), c.Table.Name, c.Name}, &w)
	}
	if _, err := os.ReadFile("/proc/net/ip_tables_names"); len(f.certain) == 0 && !errors.Is(err, fs.ErrPermission) {
		if err := f.legacyFilters(q); err != nil {
			return nil, false, err
		}
	}
	if len(f.certain) > 0 {
		return &f.certain[0], true, nil
	}
	if len(f.uncertain) > 0 {
		return &f.uncertain[0], false, nil
	}
	return nil, false, nil
}

// stops is dropped, for a packet that belongs to no lab.
func (f *finder) stops(p packet, b barrier, w *walk) {
	happens, by := w.happens(drops)
	if happens == no {
		return
	}
	note := f.found
	if happens == maybe {
		note = f.perhaps
	}
	note(FilterDrop, f.showing(b), "backend", b.backend, "family", b.family, "table", b.table,
		"chain", by.chain, "base", b.base, "hook", p.hook, "rule", by.says)
}
