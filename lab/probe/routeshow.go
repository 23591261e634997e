package probe

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// RouteShow reads a route as the kernel has it, and says it as `ip route show`
// does. Where WantTable is given, it reads all tables, as `ip route show table
// all`, which names any but main; else only main. It moves no thread and waits for
// nothing. Outcomes:
//
//   - "shown" (holds): "line", and "scope", "type" and "table", named also where
//     the line leaves them out
//   - "differs": there are routes to Dst, none as wanted; the same of the first
//     one, and "want", the fields that are not so
//   - "none": no route to exactly Dst
//   - "missing": no such namespace, or device Dev
type RouteShow struct {
	NS  string       `json:"ns,omitempty"`
	Dst netip.Prefix `json:"dst"` // 0.0.0.0/0 is the default route
	// Zero: any will do.
	Dev       string     `json:"dev,omitempty"`
	WantVia   netip.Addr `json:"want_via,omitzero"`
	WantScope string     `json:"want_scope,omitempty"` // "global", "link" or "host"
	WantType  string     `json:"want_type,omitempty"`  // "unicast", "local", …
	WantTable string     `json:"want_table,omitempty"` // "main" or "local"
	WantSrc   netip.Addr `json:"want_src,omitzero"`
	// WantOnlink: the route must say so. False: it may.
	WantOnlink bool `json:"want_onlink,omitempty"`
}

func (p RouteShow) Command() lab.Command {
	words := []string{"route", "show"}
	if p.WantTable != "" {
		words = append(words, "table", "all")
	}
	words = append(words, iproute.Dst(p.Dst))
	if p.Dev != "" {
		words = append(words, "dev", p.Dev)
	}
	return lab.IP(p.NS, words...)
}

func (p RouteShow) Try(_ context.Context, k *kernel.Kernel, _ time.Duration) (lab.Observation, error) {
	n, err := k.Namespace(p.NS)
	if err != nil {
		return missing(err)
	}
	index := 0
	if p.Dev != "" {
		link, err := n.Link(p.Dev)
		if err != nil {
			return missing(err)
		}
		index = link.Attrs().Index
	}
	table := unix.RT_TABLE_MAIN
	if p.WantTable != "" {
		table = unix.RT_TABLE_UNSPEC // all
	}
	routes, err := kernel.Dump(func() ([]netlink.Route, error) {
		return n.Netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: table}, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return lab.Observation{}, fmt.Errorf("read the routes of %s: %w", n, err)
	}
	first := lab.Observation{Outcome: "none"}
	for _, r := range routes {
		if kernel.Prefix(r.Dst) != p.Dst || index != 0 && r.LinkIndex != index {
			continue
		}
		o, err := p.observe(n, r)
		if err != nil || o.Holds {
			return o, err
		}
		if first.Outcome == "none" {
			first = o
		}
	}
	return first, nil
}

func (p RouteShow) observe(n *kernel.Namespace, r netlink.Route) (lab.Observation, error) {
	line, err := routeLine(n, r)
	if err != nil {
		return lab.Observation{}, err
	}
	values := map[string]string{
		"line": line, "scope": iproute.Scope(r.Scope), "type": iproute.RouteType(r.Type), "table": iproute.Table(r.Table),
	}
	var want []string
	for _, field := range []struct{ name, want, found string }{
		{"via", addrWords(p.WantVia), addrWords(kernel.Addr(r.Gw))},
		{"scope", p.WantScope, values["scope"]},
		{"type", p.WantType, values["type"]},
		{"table", p.WantTable, values["table"]},
		{"src", addrWords(p.WantSrc), addrWords(kernel.Addr(r.Src))},
	} {
		if field.want != "" && field.want != field.found {
			want = append(want, field.name+" "+field.want)
		}
	}
	if p.WantOnlink && r.Flags&unix.RTNH_F_ONLINK == 0 {
		want = append(want, "onlink")
	}
	if want != nil {
		values["want"] = strings.Join(want, " ")
		return lab.Observation{Outcome: "differs", Values: values}, nil
	}
	return lab.Observation{Holds: true, Outcome: "shown", Values: values}, nil
}
