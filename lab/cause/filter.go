package cause

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// filters follows the packets of a ping, and of a connection, through every
// chain on their way through the host. It says who drops them; an accept in one
// base chain doesn't spare a packet the next one.
func (f *finder) filters() error {
	if !f.wants(Host, Outside) {
		f.end = true
		return nil
	}
	chains, err := f.firewall.NftChains()
	if err != nil {
		return err
	}
	packets := f.packets()
	for _, proto := range []byte{unix.IPPROTO_ICMP, unix.IPPROTO_TCP} {
		for _, p := range packets {
			if p.proto = proto; p.proto == unix.IPPROTO_TCP && p.dst == f.HostAddr {
				continue // there need be no server on the host
			}
			if err := f.nftFilters(chains, p); err != nil {
				return err
			}
		}
		if f.noted(FilterDrop) {
			return nil
		}
	}
	if len(f.certain) > 0 {
		return nil
	}
	for _, p := range packets {
		if err := f.legacyFilters(p); err != nil {
			return err
		}
	}
	return nil
}

// packets are those of an echo request and its reply, hook by hook. What conntrack
// makes of the reply's addresses before its reverse translation is left unknown.
func (f *finder) packets() []packet {
	request := packet{in: f.hostLink, src: f.Pod.Addr(), proto: unix.IPPROTO_ICMP, icmp: 8, state: expr.CtStateBitNEW}
	reply := packet{dst: f.Pod.Addr(), proto: unix.IPPROTO_ICMP, state: expr.CtStateBitESTABLISHED, reply: true}
	var all []packet
	add := func(p packet, hook string, in, out device, other netip.Addr) {
		p.hook, p.in, p.out = hook, in, out
		if p.reply {
			p.src = other
		} else {
			p.dst = other
		}
		all = append(all, p)
	}
	if f.wants(Outside) {
		add(request, "prerouting", f.hostLink, device{}, f.Outside)
		add(request, "forward", f.hostLink, f.uplink, f.Outside)
		add(request, "postrouting", device{}, f.uplink, f.Outside)
		untranslated := reply
		untranslated.dst = netip.Addr{}
		add(untranslated, "prerouting", f.uplink, device{}, f.Outside)
		add(reply, "forward", f.uplink, f.hostLink, f.Outside)
		add(reply, "postrouting", device{}, f.hostLink, f.Outside)
	}
	if f.wants(Host) {
		add(request, "prerouting", f.hostLink, device{}, f.HostAddr)
		add(request, "input", f.hostLink, device{}, f.HostAddr)
		add(reply, "output", device{}, f.hostLink, f.HostAddr)
		add(reply, "postrouting", device{}, f.hostLink, f.HostAddr)
	}
	return all
}

// entered lists the base chains of these types at a hook that IPv4 packets go
// through, in their order.
func entered(chains []*nftables.Chain, of func(*nftables.Chain) bool, hook string, kinds ...nftables.ChainType) ([]*nftables.Chain, error) {
	number, err := kernel.NftHook(hook)
	if err != nil {
		return nil, err
	}
	var found []*nftables.Chain
	for _, c := range chains {
		if c.Hooknum != nil && *c.Hooknum == number && of(c) && slices.Contains(kinds, c.Type) {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b *nftables.Chain) int { return cmp.Compare(priority(a), priority(b)) })
	return found, nil
}

// routed are the chains that an IPv4 packet goes through that a host takes or routes,
// bridged those of a frame that a bridge passes on.
func routed(c *nftables.Chain) bool  { return kernel.FamilyOf(c) != "" }
func bridged(c *nftables.Chain) bool { return c.Table.Family == nftables.TableFamilyBridge }

func priority(c *nftables.Chain) nftables.ChainPriority {
	if c.Priority == nil {
		return 0
	}
	return *c.Priority
}

func policyWord(c *nftables.Chain) string {
	if c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop {
		return "drop"
	}
	return "accept"
}

func (f *finder) nftFilters(chains []*nftables.Chain, p packet) error {
	bases, err := entered(chains, routed, p.hook, nftables.ChainTypeFilter, nftables.ChainTypeRoute)
	if err != nil {
		return err
	}
	for _, c := range bases {
		w := walk{rules: f.nftRules(p, kernel.FamilyOf(c), c.Table.Name)}
		if err := w.run(c.Name, policyWord(c)); err != nil {
			return err
		}
		f.dropped(p, barrier{"nftables", kernel.FamilyOf(c), c.Table.Name, c.Name}, &w)
	}
	return nil
}

func (f *finder) legacyFilters(p packet) error {
	base := map[string]string{"forward": "FORWARD", "input": "INPUT", "output": "OUTPUT"}[p.hook]
	if base == "" {
		return nil // the tables that are there are not for filtering
	}
	f.own = ""
	lines, err := f.legacyLines("filter", base)
	if err != nil || len(lines) == 0 {
		return err
	}
	w := walk{rules: f.legacyRules(p, "filter")}
	if err := w.run(base, legacyPolicy(lines)); err != nil {
		return err
	}
	b := barrier{"iptables-legacy", "ip", "filter", base}
	if f.host == nil { // no lab's, see Stops
		f.stops(p, b, &w)
		return nil
	}
	f.dropped(p, b, &w)
	return nil
}

// barrier is the base chain by which a hook enters a firewall.
type barrier struct{ backend, family, table, base string }

func (f *finder) dropped(p packet, b barrier, w *walk) {
	happens, by := w.happens(drops)
	if happens == no {
		return
	}
	note := f.found
	if happens == maybe {
		note = f.perhaps
	}
	from, to := p.place(f.host.String())
	note(FilterDrop, f.opening(p, b, w), "backend", b.backend, "family", b.family, "table", b.table,
		"chain", by.chain, "base", b.base, "hook", p.hook, "rule", by.says, "from", from, "to", to)
}
