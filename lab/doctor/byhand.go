package doctor

import (
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"strings"

	"netlab/lab"
	"netlab/lab/journal"
	"netlab/lab/kernel"
	"netlab/lab/machine"
)

// handmade is what is there of the plan's names that no lab here has made.
type handmade struct {
	namespace string // the first one, where it is there
	link      string // the first link that is there
	rules     []rule // that translate the subnet, and bear no lab's mark
}

// rule is one as iptables prints it.
type rule struct {
	program string
	words   []string // behind -A
}

// byHand looks for the article's lab, typed by hand and left there.
func byHand(q Question) ([]machine.Finding, error) {
	h, err := readHandmade(q)
	return judgeHandmade(h, q.Plan), err
}

func readHandmade(q Question) (handmade, error) {
	var h handmade
	p := q.Plan
	if labs, err := journal.At(q.Labs).Labs(); err == nil && len(labs) > 0 {
		return h, nil // whose things are whose is told by run and teardown
	}
	host, err := q.Kernel.Namespace(kernel.Host)
	if err != nil {
		return h, err
	}
	for _, name := range p.Namespaces {
		taken, err := q.Kernel.NetnsExists(name)
		if err != nil {
			return h, err
		}
		if taken && h.namespace == "" {
			h.namespace = name
		}
	}
	for _, name := range p.Links {
		_, err := host.Link(name)
		if err == nil && h.link == "" {
			h.link = name
		}
	}
	if p.Subnet.IsValid() {
		h.rules, err = translations(q, p.Subnet)
	}
	return h, err
}

// translations are rules of POSTROUTING, of either variant, that masquerade the
// subnet and that no lab has marked as its own. A chain that is not there is not
// asked for: asking could make it.
func translations(q Question, subnet netip.Prefix) ([]rule, error) {
	var found []rule
	f := q.Kernel.Firewall()
	chains, err := f.NftChains()
	if err != nil {
		return nil, err
	}
	for _, c := range chains {
		if !ofIptables(c) || c.Table.Name != "nat" || c.Name != "POSTROUTING" {
			continue
		}
		t, err := f.IPTablesOf(true)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		lines, err := t.List("nat", "POSTROUTING")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		found = append(found, unmarked(nameOf(f, true), lines, subnet)...)
	}
	lines, err := q.legacyRules("nat", "POSTROUTING")
	return append(found, unmarked(nameOf(f, false), lines, subnet)...), err
}

// nameOf is what the program of a variant is called here.
func nameOf(f *kernel.Firewall, nft bool) string {
	if t, err := f.IPTables(); err == nil && t.NFT == nft {
		return "iptables"
	}
	if nft {
		return "iptables-nft"
	}
	return "iptables-legacy"
}

func unmarked(program string, lines []string, subnet netip.Prefix) []rule {
	var found []rule
	for _, l := range lines {
		words := kernel.SplitRule(l)
		source, target := slices.Index(words, "-s"), slices.Index(words, "-j")
		if len(words) == 0 || words[0] != "-A" || source < 0 || target < 0 || source+1 >= len(words) || target+1 >= len(words) {
			continue
		}
		from, err := netip.ParsePrefix(words[source+1])
		ours := slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, ruleMark) })
		if err == nil && from == subnet && words[target+1] == "MASQUERADE" && !ours {
			found = append(found, rule{program, words[1:]})
		}
	}
	return found
}

func judgeHandmade(h handmade, p machine.Plan) []machine.Finding {
	var found []machine.Finding
	if h.namespace != "" && h.link != "" {
		f := warn(MadeByHand, lab.IP("", "link", "del", h.link), "name", h.namespace, "dev", h.link)
		f.More = []lab.Command{lab.IP("", "netns", "del", h.namespace)}
		found = append(found, f)
	}
	for _, r := range h.rules {
		found = append(found, warn(RuleByHand, with(lab.Command{r.program, "-t", "nat", "-D"}, r.words...),
			"rule", strings.Join(r.words, " "), "subnet", p.Subnet.String()))
	}
	return found
}
