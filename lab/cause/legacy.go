package cause

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netlab/lab/kernel"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// legacyRules reads a chain of iptables-legacy as its rules concern a packet:
// the lines that `iptables -S` prints, which have one form.
func (f *finder) legacyRules(p packet, table string) func(string) ([]rule, error) {
	return func(chain string) ([]rule, error) {
		lines, err := f.legacyLines(table, chain)
		if err != nil {
			return nil, err
		}
		if len(lines) == 0 { // no chain but a target that isn't known here
			return []rule{{match: yes, does: unclear, says: chain}}, nil
		}
		var rules []rule
		for _, line := range lines {
			words := kernel.SplitRule(line)
			if len(words) < 3 || words[0] != "-A" {
				continue
			}
			if f.without != "" && commentOf(words) == f.without {
				f.own = chain
				continue
			}
			rules = append(rules, legacyRule(p, words[2:]))
		}
		return rules, nil
	}
}

// legacyLines is kernel.Firewall.LegacyRules, asked once for each chain.
func (f *finder) legacyLines(table, chain string) ([]string, error) {
	if lines, ok := f.legacy[table+" "+chain]; ok {
		return lines, nil
	}
	lines, err := f.firewall.LegacyRules(table, chain)
	if err != nil {
		return nil, err
	}
	if f.legacy == nil {
		f.legacy = map[string][]string{}
	}
	f.legacy[table+" "+chain] = lines
	return lines, nil
}

// commentOf is a rule's comment, or empty.
func commentOf(words []string) string {
	if i := slices.Index(words, "--comment"); i >= 0 && i+1 < len(words) {
		return words[i+1]
	}
	return ""
}

// legacyRule reads the words of a rule. Options that it doesn't know make the
// match uncertain; their arguments are passed over.
func legacyRule(p packet, words []string) rule {
	r := rule{match: yes}
	negated := false
	for i := 0; i < len(words); i++ {
		word, arg := words[i], ""
		if i+1 < len(words) {
			arg = words[i+1]
		}
		switch a, known := p.option(word, arg); {
		case word == "!":
			negated = true
			continue
		case word == "-m" || word == "--comment":
			i++
		case word == "-j" || word == "-g":
			r.does, r.says = target(arg)
			if word == "-g" {
				r.does, r.to = goes, arg
			} else if r.does == unclear {
				r.does, r.to = jumps, arg
			}
			return r // what follows belongs to the target
		case known:
			condition := word + " " + arg
			if negated {
				a, condition = not(a), "! "+condition
			}
			if a == no && r.unless == "" {
				r.unless = condition
			}
			r.match, r.some = min(r.match, a), true
			i++
		case strings.HasPrefix(word, "-"):
			r.match, r.some = min(r.match, maybe), true
		}
		negated = false
	}
	return r
}

// option answers an option of iptables that it knows.
func (p packet) option(word, arg string) (a answer, known bool) {
	switch word {
	case "-s":
		return inPrefix(p.src, arg), true
	case "-d":
		return inPrefix(p.dst, arg), true
	case "-i":
		return isDevice(p.in, arg), true
	case "-o":
		return isDevice(p.out, arg), true
	case "-p":
		return answered(arg == "all" || arg == protoWord(p.proto)), true
	case "--dport":
		return isPort(p.dstPort, arg), true
	case "--sport":
		return isPort(p.srcPort, arg), true
	case "--ctstate", "--state":
		return answered(slices.Contains(strings.Split(arg, ","), stateWord(p.state))), true
	}
	return no, false
}

// target is what a target of iptables does (iptables-extensions(8)).
func target(name string) (action, string) {
	switch name {
	case "ACCEPT":
		return accepts, "accept"
	case "DROP":
		return drops, "drop"
	case "REJECT":
		return drops, "reject"
	case "RETURN":
		return returns, "return"
	case "MASQUERADE":
		return translates, "masquerade"
	case "SNAT", "NETMAP":
		return translates, "snat"
	case "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "CLASSIFY", "TCPMSS", "DSCP", "TOS", "TTL",
		"CHECKSUM", "CT", "NOTRACK", "TRACE", "SET", "SECMARK", "CONNSECMARK", "AUDIT", "TCPOPTSTRIP":
		return passes, ""
	}
	return unclear, name
}

func inPrefix(addr netip.Addr, words string) answer {
	p, err := netip.ParsePrefix(words)
	if err != nil || !addr.IsValid() {
		return maybe
	}
	return answered(p.Contains(addr))
}

// isPort: a range is of two numbers and a colon.
func isPort(port uint16, words string) answer {
	first, last, isRange := strings.Cut(words, ":")
	if !isRange {
		last = first
	}
	from, err := strconv.ParseUint(first, 10, 16)
	to, otherErr := strconv.ParseUint(last, 10, 16)
	if port == 0 || err != nil || otherErr != nil {
		return maybe
	}
	return answered(from <= uint64(port) && uint64(port) <= to)
}

// isDevice: a + at the end stands for anything (iptables(8)).
func isDevice(d device, name string) answer {
	if !d.there() {
		return maybe
	}
	if start, ok := strings.CutSuffix(name, "+"); ok {
		return answered(strings.HasPrefix(d.Name, start))
	}
	return answered(d.Name == name)
}

func protoWord(proto byte) string {
	switch proto {
	case unix.IPPROTO_ICMP:
		return "icmp"
	case unix.IPPROTO_TCP:
		return "tcp"
	case unix.IPPROTO_UDP:
		return "udp"
	}
	return ""
}

func stateWord(state uint32) string {
	switch state {
	case expr.CtStateBitNEW:
		return "NEW"
	case expr.CtStateBitESTABLISHED:
		return "ESTABLISHED"
	}
	return ""
}

// legacyPolicy is the policy that a chain's lines begin with.
func legacyPolicy(lines []string) string {
	if len(lines) > 0 && strings.HasPrefix(lines[0], "-P ") && strings.HasSuffix(lines[0], " DROP") {
		return "drop"
	}
	return "accept"
}
