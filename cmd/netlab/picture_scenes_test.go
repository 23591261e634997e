package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"netlab/lab"
	"netlab/lab/op"
)

// What the pictures are tried on besides the scenarios: many pods, a bridge, and
// what the CNI plugin ptp makes.

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// pod is the i-th pod from 1: its namespace, the host end of its cable with a name
// as long as one can be, and its address.
func pod(i int) (ns, host string, addr netip.Addr) {
	host = []string{"cali0db0293d5b3", "cali7f4c1a92e08", "calib1e55ed0042"}[(i-1)%3]
	if i > 3 {
		host = fmt.Sprintf("cali%011x", i)
	}
	return fmt.Sprintf("pod%d", i), host, netip.AddrFrom4([4]byte{10, 244, byte(244 + i/250), byte(64 + i%250)})
}

func eachPod(n int, ops func(ns, host string, addr netip.Addr) []lab.Op) []lab.Group {
	var groups []lab.Group
	for i := 1; i <= n; i++ {
		ns, host, addr := pod(i)
		groups = append(groups, lab.Group{Name: ns, Ops: ops(ns, host, addr)})
	}
	return groups
}

// calicoLike are pods that the host routes to, as Calico wires them.
func calicoLike(n int) []lab.Step {
	gateway := netip.MustParseAddr("169.254.1.1")
	conf := func(dev, key, value string) lab.Op {
		return op.SysctlSet{Key: "net/ipv4/conf/" + dev + "/" + key, Value: value}
	}
	return []lab.Step{
		{ID: "cables", Groups: eachPod(n, func(ns, host string, _ netip.Addr) []lab.Op {
			return []lab.Op{
				op.NetnsAdd{Name: ns},
				op.VethAdd{NS: ns, Name: "eth0", Peer: host},
				op.LinkSetNetns{NS: ns, Name: host},
				op.LinkSetAddress{Name: host, MAC: "ee:ee:ee:ee:ee:ee"},
				op.LinkSetUp{Name: host},
				op.LinkSetUp{NS: ns, Name: "eth0"},
			}
		})},
		{ID: "pod-routes", Groups: eachPod(n, func(ns, _ string, addr netip.Addr) []lab.Op {
			return []lab.Op{
				op.RouteAdd{NS: ns, Dst: netip.PrefixFrom(gateway, 32), Dev: "eth0", Scope: "link"},
				op.RouteAdd{NS: ns, Dst: prefix("0.0.0.0/0"), Via: gateway, Dev: "eth0"},
				op.AddrAdd{NS: ns, Link: "eth0", Addr: netip.PrefixFrom(addr, 32)},
			}
		})},
		{
			ID:  "settings",
			Ops: []lab.Op{op.SysctlSet{Key: "net/ipv4/ip_forward", Value: "1"}},
			Groups: eachPod(n, func(_, host string, _ netip.Addr) []lab.Op {
				return []lab.Op{
					conf(host, "route_localnet", "1"),
					op.SysctlSet{Key: "net/ipv4/neigh/" + host + "/proxy_delay", Value: "0"},
					conf(host, "proxy_arp", "1"),
					conf(host, "forwarding", "1"),
					op.SysctlSet{Key: "net/ipv6/conf/" + host + "/accept_ra", Value: "0"},
				}
			}),
		},
		{ID: "host-routes", Groups: eachPod(n, func(_, host string, addr netip.Addr) []lab.Op {
			return []lab.Op{op.RouteAdd{Dst: netip.PrefixFrom(addr, 32), Dev: host, Scope: "link"}}
		})},
	}
}

// bridgeLike are pods on one bridge.
func bridgeLike(n int) []lab.Step {
	return []lab.Step{
		{ID: "bridge", Ops: []lab.Op{
			op.BridgeAdd{Name: "br0"},
			op.LinkSetUp{Name: "br0"},
			op.AddrAdd{Link: "br0", Addr: prefix("10.244.1.1/24")},
			op.SysctlSet{Key: "net/ipv4/ip_forward", Value: "0"},
		}},
		{ID: "pods", Groups: eachPod(n, func(ns, host string, addr netip.Addr) []lab.Op {
			port := "veth" + host[4:]
			return []lab.Op{
				op.NetnsAdd{Name: ns},
				op.VethAdd{Name: port, Peer: "eth0", PeerNS: ns},
				op.LinkSetMaster{Name: port, Master: "br0"},
				op.LinkSetUp{Name: port},
				op.LinkSetUp{NS: ns, Name: "eth0"},
				op.AddrAdd{NS: ns, Link: "eth0", Addr: netip.PrefixFrom(addr, 24)},
			}
		})},
		{ID: "way-out", Groups: eachPod(n, func(ns, _ string, _ netip.Addr) []lab.Op {
			return []lab.Op{op.RouteAdd{NS: ns, Dst: prefix("0.0.0.0/0"), Via: netip.MustParseAddr("10.244.1.1"), Dev: "eth0"}}
		})},
	}
}

// ptpLike is a pod as the CNI plugin ptp wires it: the gateway's address is really
// on the host end.
func ptpLike() []lab.Step {
	const port = "veth0db0293d5b3"
	gateway, addr := netip.MustParseAddr("10.22.0.1"), netip.MustParseAddr("10.22.0.65")
	return []lab.Step{{ID: "pod", Ops: []lab.Op{
		op.NetnsAdd{Name: "pod1"},
		op.VethAdd{NS: "pod1", Name: "eth0", Peer: port},
		op.LinkSetNetns{NS: "pod1", Name: port},
		op.LinkSetUp{Name: port},
		op.LinkSetUp{NS: "pod1", Name: "eth0"},
		op.AddrAdd{NS: "pod1", Link: "eth0", Addr: netip.PrefixFrom(addr, 24)},
		op.RouteAdd{NS: "pod1", Dst: netip.PrefixFrom(gateway, 32), Dev: "eth0", Scope: "link", Src: addr},
		op.RouteAdd{NS: "pod1", Dst: prefix("10.22.0.0/24"), Via: gateway, Dev: "eth0", Src: addr},
		op.RouteAdd{NS: "pod1", Dst: prefix("0.0.0.0/0"), Via: gateway, Dev: "eth0"},
		op.AddrAdd{Link: port, Addr: netip.PrefixFrom(gateway, 32)},
		op.RouteAdd{Dst: netip.PrefixFrom(addr, 32), Dev: port, Scope: "host"},
		op.NeighAdd{Dev: port, Addr: addr, MAC: "02:00:5e:00:53:01"},
	}}}
}

// lonely is one namespace with a cable that ends in it, and routes that differ in
// their scope and type.
func lonely() []lab.Step {
	return []lab.Step{{ID: "cable", Ops: []lab.Op{
		op.NetnsAdd{Name: "alone"},
		op.VethAdd{NS: "alone", Name: "left", Peer: "right"},
		op.LinkSetUp{NS: "alone", Name: "left"},
		op.LinkSetUp{NS: "alone", Name: "right"},
		op.AddrAdd{NS: "alone", Link: "left", Addr: prefix("10.1.0.1/24")},
		op.RouteAdd{NS: "alone", Dst: prefix("10.2.0.0/16"), Via: netip.MustParseAddr("10.99.0.1"), Dev: "left", Onlink: true},
		op.RouteAdd{NS: "alone", Dst: prefix("10.3.0.1/32"), Dev: "left", Scope: "host", Type: "local"},
		op.RouteAdd{NS: "alone", Dst: prefix("10.4.0.0/16"), Type: "blackhole"},
	}}}
}

// Many pods and a bridge as they are drawn, in every form.
func TestScenesAreAsWrittenDown(t *testing.T) {
	english, chinese := pictured(t), picturedIn(t, "zh")
	f := pictureFacts()
	for name, steps := range map[string][]lab.Step{
		"calico": calicoLike(1000), "bridge": bridgeLike(1000), "ptp": ptpLike(), "alone": lonely(),
	} {
		pic := lab.PictureAt(f, steps, "")
		var text, zh, ascii, marks strings.Builder
		for _, width := range []int{60, 80, 100, 120} {
			text.WriteString(english.textOf(pic, nil, width, false) + "\n")
			zh.WriteString(chinese.textOf(pic, nil, width, false) + "\n")
		}
		ascii.WriteString(english.textOf(pic, nil, 60, true) + "\n" + chinese.textOf(pic, nil, 100, true))
		for i, s := range steps {
			marks.WriteString(s.ID + "\n" + english.textOf(lab.PictureAfter(f, steps, i), nil, 100, false) + "\n")
		}
		golden(t, name+".txt", text.String())
		golden(t, name+"-zh.txt", zh.String())
		golden(t, name+"-ascii.txt", ascii.String())
		golden(t, name+"-steps.txt", marks.String())
		if name == "ptp" || name == "alone" {
			continue
		}
		last := lab.PictureAfter(f, steps, len(steps)-1)
		data, err := json.MarshalIndent(last, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".json", string(data)+"\n")
		golden(t, name+".mmd", english.drawMermaid(last, name))
		golden(t, name+".dot", english.drawDot(last, name))
		golden(t, name+".svg", english.drawSVG(last, name))
	}
}

// However many there are, three are drawn, and every form says how many are not.
func TestEveryFormCountsThePodsLeftOut(t *testing.T) {
	for lang, want := range map[string]string{"en": "and 997 more like these", "zh": "另有 997 个与此相同"} {
		a := picturedIn(t, lang)
		for _, steps := range [][]lab.Step{calicoLike(1000), bridgeLike(1000)} {
			pic := lab.PictureAt(pictureFacts(), steps, "")
			for form, text := range map[string]string{
				"text": a.textOf(pic, nil, 80, false), "ascii": a.textOf(pic, nil, 80, true),
				"mermaid": a.drawMermaid(pic, ""), "dot": a.drawDot(pic, ""), "svg": a.drawSVG(pic, ""),
			} {
				if !strings.Contains(text, want) || strings.Contains(text, "pod4") {
					t.Errorf("%s, %s: no %q, or a fourth pod, in\n%s", lang, form, want, text)
				}
			}
		}
		if text := a.textOf(lab.PictureAt(pictureFacts(), calicoLike(3), ""), nil, 80, false); strings.Contains(text, "...") || strings.Contains(text, "……") {
			t.Errorf("%s: of three, some are left out:\n%s", lang, text)
		}
	}
}

// What is not the same on all devices is said of each.
func TestOnlyWhatIsAlikeIsFolded(t *testing.T) {
	a := pictured(t)
	steps := calicoLike(3)
	_, second, _ := pod(2)
	steps = append(steps, lab.Step{ID: "odd", Ops: []lab.Op{op.SysctlSet{Key: "net/ipv4/conf/" + second + "/proxy_arp", Value: "0"}}})
	text := a.textOf(lab.PictureAt(pictureFacts(), steps, ""), nil, 100, false)
	if got := strings.Count(text, "proxy_arp="); got != 3 || strings.Contains(text, "each of") {
		t.Errorf("proxy_arp stands there %d times, want 3:\n%s", got, text)
	}
}
