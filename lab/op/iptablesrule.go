package op

import (
	"net/netip"
	"slices"
	"strings"
)

// iptablesRule is what an iptables rule says, its comment apart, with what may
// be written in several ways brought into one: options by their short names and
// in alphabetical order, addresses as masked prefixes. It is for comparing what
// a person typed with what `iptables -S` prints.
type iptablesRule struct {
	options []string
	comment string
}

func (r iptablesRule) equal(other iptablesRule) bool {
	return slices.Equal(r.options, other.options)
}

func parseRule(words []string) iptablesRule {
	var r iptablesRule
	for _, option := range optionsOf(words) {
		name, args := option[0], option[1:]
		switch short, ok := shortOptions()[name]; {
		case ok:
			name = short
		case name == "--comment" && len(args) == 1:
			r.comment = args[0]
			continue
		}
		if name == "-m" && slices.Equal(args, []string{"comment"}) {
			continue
		}
		if strings.TrimPrefix(name, "! ") == "-s" || strings.TrimPrefix(name, "! ") == "-d" {
			for i, a := range args {
				args[i] = prefix(a)
			}
		}
		r.options = append(r.options, strings.Join(append([]string{name}, args...), " "))
	}
	slices.Sort(r.options)
	return r
}

// optionsOf groups words into options with their arguments; a `!` goes into the
// name of the option that it negates.
func optionsOf(words []string) [][]string {
	var options [][]string
	not := ""
	for _, w := range words {
		switch {
		case w == "!":
			not = "! "
		case strings.HasPrefix(w, "-") && !afterComment(options):
			options = append(options, []string{not + w})
			not = ""
		case len(options) > 0:
			last := len(options) - 1
			options[last] = append(options[last], w)
		}
	}
	return options
}

// afterComment: the next word is a comment's text, whatever it begins with.
func afterComment(options [][]string) bool {
	if len(options) == 0 {
		return false
	}
	last := options[len(options)-1]
	return len(last) == 1 && last[0] == "--comment"
}

func shortOptions() map[string]string {
	short := map[string]string{}
	for s, long := range map[string][]string{
		"-s": {"--source", "--src"}, "-d": {"--destination", "--dst"},
		"-i": {"--in-interface"}, "-o": {"--out-interface"},
		"-p": {"--protocol", "--proto"}, "-m": {"--match"}, "-j": {"--jump"}, "-g": {"--goto"},
	} {
		for _, l := range long {
			short[l], short["! "+l] = s, "! "+s
		}
	}
	return short
}

// prefix is an address or a prefix as iptables prints it, or s itself.
func prefix(s string) string {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()).String()
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked().String()
	}
	return s
}
