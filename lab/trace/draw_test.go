package trace

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"netlab/lab"
)

func decided(d lab.Decision) string {
	var b strings.Builder
	b.WriteString(d.Kind)
	for _, k := range slices.Sorted(maps.Keys(d.Values)) {
		fmt.Fprintf(&b, " %s=%q", k, d.Values[k])
	}
	return b.String()
}

func sprintHop(h lab.Hop) string {
	return fmt.Sprintf("%-12s %-3s %s>%s %s:%d>%s:%d ttl %d %v +%v", Point{NS: h.NS, Dev: h.Dev}.Name(), h.Dir,
		h.SrcMAC, h.DstMAC, h.Src, h.SrcPort, h.Dst, h.DstPort, h.TTL, h.Changed, h.After)
}

func sprintEnd(e lab.Ending) string {
	return fmt.Sprintf("END %s ns=%q dev=%q leg=%q reason=%q %v look=%q drop=%q (%s) rtt=%v",
		e.Outcome, e.NS, e.Dev, e.Leg, e.Reason, e.Values, e.Look, e.Drop, e.DropUnread, e.RTT)
}
