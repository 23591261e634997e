package cause

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// byRule is what a rule (ip-rule(8)) has chosen for a packet, other than the main
// table: another table, or a refusal. Empty: none has. Routes that refuse are
// the caller's to look for first.
func byRule(w way) string {
	switch {
	case w.local, w.refused == unix.ENETUNREACH:
		return ""
	case w.refused != 0:
		return w.refused.Error()
	case !fromMain(w.route):
		return fmt.Sprintf("table %d", w.route.Table)
	}
	return ""
}

// policy: which rule it was, the kernel doesn't say.
func (f *finder) policy(ns string, dst netip.Addr, found string) {
	in := f.host.String()
	if ns != "" {
		in = ns
	}
	f.found(PolicyRule, lab.IP(ns, "rule", "show"), "in", in, "dst", dst.String(), "found", found)
}

// Overruled tells what keeps a route to the subnet from being used that is still to
// be put into the namespace's main table: a PolicyRule whose Repair has the main
// table asked first, and back is what takes that back. Nil: nothing does. Of rules
// only those count that are for all packets, or for the subnet by their
// destination; what a rule says of marks, devices or sources it can't foresee.
func Overruled(n *kernel.Namespace, subnet netip.Prefix) (c *lab.Cause, back lab.Command, err error) {
	dst := subnet.Masked().Addr().Next()
	w, err := wayTo(n, dst)
	if err != nil {
		return nil, nil, err
	}
	found, table := byRule(w), w.route.Table
	if found != "" && w.refused != 0 {
		r, ok, err := refusing(n, dst)
		if err != nil || ok && fromMain(r) {
			return nil, nil, err
		}
		if ok {
			table = r.Table
		}
	}
	if found == "" {
		return nil, nil, nil
	}
	rules, err := kernel.Dump(func() ([]netlink.Rule, error) { return n.Netlink.RuleList(netlink.FAMILY_V4) })
	if err != nil {
		return nil, nil, fmt.Errorf("read the rules of %s: %w", n, err)
	}
	slices.SortStableFunc(rules, func(a, b netlink.Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	for _, r := range rules {
		looksUp := r.Table != unix.RT_TABLE_UNSPEC // others refuse, or lead to another rule
		switch {
		case !about(r, subnet):
			continue
		case looksUp && r.Table == unix.RT_TABLE_MAIN && r.SuppressPrefixlen < subnet.Bits():
			return nil, nil, nil // the lab's route is found before that
		case looksUp && r.Table != table, !looksUp && w.refused == 0:
			continue
		}
		c = &lab.Cause{ID: PolicyRule, Repair: lab.IP("", "rule", "show"), Values: map[string]string{
			"in": n.String(), "dst": iproute.Dst(subnet), "found": found,
		}}
		if r.Priority < 1 { // none comes before that
			return c, nil, nil
		}
		words := []string{"to", subnet.String(), "table", "main", "priority", strconv.Itoa(r.Priority - 1)}
		c.Repair = lab.IP("", append([]string{"rule", "add"}, words...)...)
		return c, lab.IP("", append([]string{"rule", "del"}, words...)...), nil
	}
	return nil, nil, nil
}

// about tells whether a rule is for all that goes to the subnet without a mark.
func about(r netlink.Rule, subnet netip.Prefix) bool {
	if r.Src != nil || r.Tos != 0 || r.IifName != "" || r.OifName != "" || r.Dport != nil || r.Sport != nil || r.IPProto > 0 || r.UIDRange != nil {
		return false
	}
	to := kernel.Prefix(r.Dst)
	return (r.Mark == 0 && to.Bits() <= subnet.Bits() && to.Contains(subnet.Addr())) != r.Invert
}
