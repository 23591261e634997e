package doctor

import (
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/cause"
	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// wall is a base chain of the host's firewall that stops a lab's packets on their
// way through it. The lab need not be there: its devices are asked for by name.
type wall struct {
	stop    *lab.Cause // as cause.Stopped names it; nil: nothing stops them
	certain bool
	chains  []string // those of the same table and the targets of its rules, by which its maker is known
	// door is where the lab's own rules let its packets through; nil: it can't, or
	// must not, because they are not just among what nobody has let through.
	door *lab.Wall
}

// forwarding asks for a lab whose packets pass FORWARD: one that routes, or one
// that bridges where bridged frames are handed to iptables.
func forwarding(q Question) ([]machine.Finding, error) {
	if !forwarded(q) {
		return nil, nil
	}
	walls, err := readWalls(q)
	if len(walls) == 0 && err == nil {
		return judgeWall(wall{}, q.Plan), nil
	}
	var found []machine.Finding
	for _, w := range walls {
		found = append(found, judgeWall(w, q.Plan)...)
	}
	return found, err
}

func forwarded(q Question) bool { return q.Plan.Routes || q.Plan.Bridges && q.Facts.BridgeFirewall }

// passages are an echo request of the lab and its reply at FORWARD: from a pod to
// the way out or, in a lab that has nothing to do with that, to the next pod.
func passages(q Question) []cause.Passage {
	p := q.Plan
	if len(p.Links) == 0 {
		return nil
	}
	pod, other := named(q, p.Links[0]), named(q, q.Facts.Uplink)
	src, dst := p.Subnet.Addr(), p.Outside
	if src.IsValid() {
		src = src.Next()
	}
	switch {
	case !p.Routes: // the bridge is where frames come in and go out
		other, dst = pod, netip.Addr{}
	case !p.Translates && len(p.Links) > 1:
		other, dst = named(q, p.Links[1]), src
	}
	request := cause.Passage{Hook: "forward", In: pod, Out: other, Src: src, Dst: dst, Proto: unix.IPPROTO_ICMP, ICMP: 8}
	return []cause.Passage{request, {Hook: "forward", In: other, Out: pod, Src: dst, Dst: src, Proto: unix.IPPROTO_ICMP, Reply: true}}
}

// named is a device as it is, or as one that is still to be made: a name alone.
func named(q Question, name string) *netlink.LinkAttrs {
	if host, err := q.Kernel.Namespace(kernel.Host); err == nil {
		if l, err := host.Link(name); err == nil {
			return l.Attrs()
		}
	}
	return &netlink.LinkAttrs{Name: name}
}

// neighbours are the chains of the table that the packet is stopped in, or where
// that is the legacy variant's, the targets of the chain's rules.
func neighbours(f *kernel.Firewall, at map[string]string) ([]string, error) {
	var names []string
	if at["backend"] != "nftables" {
		lines, err := f.LegacyRules(at["table"], at["base"])
		for _, l := range lines {
			words := kernel.SplitRule(l)
			if i := slices.Index(words, "-j"); i >= 0 && i+1 < len(words) {
				names = append(names, words[i+1])
			}
		}
		return names, err
	}
	chains, err := f.NftChains()
	for _, c := range chains {
		if kernel.FamilyOf(c) == at["family"] && c.Table.Name == at["table"] {
			names = append(names, c.Name)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return names, err
}

func judgeWall(w wall, p machine.Plan) []machine.Finding {
	if w.stop == nil {
		return []machine.Finding{ok(ForwardOpen)}
	}
	var f machine.Finding
	switch {
	case w.door != nil:
		f = ok(ForwardOpened, "door", w.door.Chain)
	default:
		f = warn(ForwardMay, nil)
		if w.certain {
			f = stop(ForwardDrops, nil)
		}
		open, back := w.opening(p)
		f.Remedy, f.More, f.Back = open[0], open[1:], back
	}
	if f.Values == nil {
		f.Values = map[string]string{}
	}
	f.Values["by"], f.Values["program"] = w.owner(), w.stop.Repair[0]
	for _, name := range []string{"backend", "family", "table", "chain", "base", "rule"} {
		f.Values[name] = w.stop.Values[name]
	}
	return []machine.Finding{f}
}

// The owners of a rule that stops packets, as far as the names of chains tell.
const (
	ByDocker    = "docker"    // sets FORWARD to DROP when it turns forwarding on
	ByUfw       = "ufw"       // DEFAULT_FORWARD_POLICY is DROP
	ByFirewalld = "firewalld" // refuses what no zone or policy lets through
	ByBoth      = "docker-or-ufw"
	ByUnknown   = "unknown"
)

func (w wall) owner() string {
	has := func(start string) bool {
		return slices.ContainsFunc(w.chains, func(c string) bool { return strings.HasPrefix(c, start) })
	}
	docker, ufw := has("DOCKER"), has("ufw-")
	switch chain := w.stop.Values["chain"]; {
	case w.stop.Values["table"] == "firewalld", strings.HasPrefix(chain, "FWD"):
		return ByFirewalld
	case strings.HasPrefix(chain, "ufw-"):
		return ByUfw
	case chain == "DOCKER-USER": // Docker keeps it for others, and puts nothing there that drops
		return ByUnknown
	case strings.HasPrefix(chain, "DOCKER"):
		return ByDocker
	case docker && ufw:
		return ByBoth
	case docker:
		return ByDocker
	case ufw:
		return ByUfw
	}
	return ByUnknown
}

// opening are the commands that let the lab's packets through, an accept before all
// else, for each direction; and those that take them back.
func (w wall) opening(p machine.Plan) (open, back []lab.Command) {
	at := w.stop.Values
	program := w.stop.Repair[0] // that shows the chain
	subnet, dev := p.Subnet.String(), p.Links[0]
	routed := p.Routes && p.Subnet.IsValid()
	if w.owner() == ByFirewalld {
		what := "interface=" + dev
		if routed {
			what = "source=" + subnet
		}
		zone := lab.Command{"firewall-cmd", "--zone=trusted"}
		return []lab.Command{with(zone, "--add-"+what)}, []lab.Command{with(zone, "--remove-"+what)}
	}
	if program == "nft" {
		return openingNft(at["family"], at["table"], at["base"], subnet, dev, routed)
	}
	chain := at["base"]
	if at["table"] == "filter" && slices.Contains(w.chains, "DOCKER-USER") {
		chain = "DOCKER-USER" // Docker puts itself before what stands in FORWARD
	}
	rules := [][]string{{"-i", dev, "-j", "ACCEPT"}}
	if routed {
		rules = [][]string{{"-s", subnet, "-j", "ACCEPT"}, {"-d", subnet, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"}}
	}
	of := lab.Command{program}
	if at["table"] != "filter" {
		of = append(of, "-t", at["table"])
	}
	for _, rule := range rules {
		open = append(open, with(with(of, "-I", chain), rule...))
		back = append(back, with(with(of, "-D", chain), rule...))
	}
	return open, back
}

// openingNft: nft deletes a rule by its handle alone, which is found by a comment.
func openingNft(family, table, chain, subnet, dev string, routed bool) (open, back []lab.Command) {
	const comment = "netlab-passes"
	insert := lab.Command{"nft", "insert", "rule", family, table, chain}
	rules := [][]string{{"iifname", dev}}
	if routed {
		rules = [][]string{{"ip", "saddr", subnet}, {"ip", "daddr", subnet, "ct", "state", "established,related"}}
	}
	for _, rule := range rules {
		open = append(open, with(with(insert, rule...), "accept", "comment", comment))
	}
	place := strings.Join([]string{family, table, chain}, " ")
	script := "nft -a list chain " + place + ` | sed -n "s/.*comment .` + comment + `. # handle //p" | xargs -rn1 nft delete rule ` + place + " handle"
	return open, []lab.Command{{"sh", "-c", script}}
}
