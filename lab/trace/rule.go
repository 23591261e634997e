package trace

import (
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// rules: no rule of `ip rule` refuses the packet, as it came in on a device. The
// lookup without its source has found a way.
func (f *finder) rules(g *sighting, in *device) (bool, error) {
	r, err := lookup{space: f.space, dst: g.dst, src: g.src, iif: in}.ask()
	if err != nil || r.refused == 0 {
		return err == nil, err
	}
	words, kind, ok, err := f.space.refusingRule(r.refused, g.src, g.dst, in)
	if err != nil || !ok {
		return err == nil, err
	}
	f.found(RefusingRule, f.inNS(f.space, "ip", "rule", "show"), "dst", g.dst.String(), "type", kind, "rule", words)
	return false, nil
}

// refusingRule is the first rule that can have refused a packet, by its addresses
// and the device that it came in on, with an errno (fib4_rule_action,
// net/ipv4/fib_rules.c). One that looks at more than that is passed over.
func (sp *space) refusingRule(errno syscall.Errno, src, dst netip.Addr, in *device) (words, kind string, ok bool, err error) {
	all, err := sp.rules()
	if err != nil {
		return "", "", false, err
	}
	kind = map[syscall.Errno]string{unix.EINVAL: "blackhole", unix.ENETUNREACH: "unreachable", unix.EACCES: "prohibit"}[errno]
	if kind == "" {
		return "", "", false, nil
	}
	for _, r := range all {
		if r.Table != unix.RT_TABLE_UNSPEC || r.Goto > 0 { // it looks something up
			continue
		}
		if r.Invert || r.OifName != "" || r.Mark != 0 || r.Tos != 0 || r.IPProto != 0 || r.Sport != nil || r.Dport != nil || r.TunID != 0 || r.UIDRange != nil {
			continue
		}
		if r.Src != nil && !r.Src.Contains(src.AsSlice()) || r.Dst != nil && !r.Dst.Contains(dst.AsSlice()) {
			continue
		}
		if r.IifName != "" && (in == nil || r.IifName != in.Name) {
			continue
		}
		return ruleWords(r, kind), kind, true, nil
	}
	return "", "", false, nil
}

// ruleWords is a rule as `ip rule` prints it (print_rule, ip/iprule.c).
func ruleWords(r netlink.Rule, kind string) string {
	prefix := func(p netip.Prefix) string {
		if p.IsSingleIP() {
			return p.Addr().String()
		}
		return p.String()
	}
	words := []string{strconv.Itoa(r.Priority) + ":", "from", "all"}
	if r.Src != nil {
		words[2] = prefix(kernel.Prefix(r.Src))
	}
	if r.Dst != nil {
		words = append(words, "to", prefix(kernel.Prefix(r.Dst)))
	}
	if r.IifName != "" {
		words = append(words, "iif", r.IifName)
	}
	return strings.Join(append(words, kind), " ")
}
