package cause

// action is what a rule does with a packet that it matches.
type action int

const (
	passes     action = iota // to the next rule
	accepts                  // in this base chain
	drops                    // or rejects
	jumps                    // to another chain, and back
	goes                     // to another chain, and not back
	returns                  // from this chain
	translates               // the source, and ends the base chain
	unclear                  // any of these
)

// rule is a firewall's rule, as far as it concerns one packet.
type rule struct {
	match answer
	does  action
	to    string // jumps and goes: the chain
	says  string // what it does, in the firewall's words
	// some: it is for some packets only, whether or not this is one of them.
	some bool
	// unless is the first condition that the packet fails, in the firewall's
	// words; empty where that can't be said.
	unless string
}

// spot is a rule, or the policy of a chain. all: it is what becomes of every packet
// that no rule before it has decided on.
type spot struct {
	chain, says string
	all         bool
}

// walk follows a packet through one base chain.
type walk struct {
	rules func(chain string) ([]rule, error)

	end  action // accepts, drops or translates, once a rule or the policy said so
	by   spot   // which did
	may  map[action]spot
	near []rule // that translate, and don't match
	// through are the chains that every packet comes to which no rule before them
	// has decided on, the base chain first.
	through []string
}

// deepest is how many jumps the kernel follows (NFT_JUMP_STACK_SIZE,
// net/netfilter/nf_tables.h).
const deepest = 16

func (w *walk) run(base, policy string) error {
	w.may = map[action]spot{}
	ended, err := w.chain(base, yes, true, 0)
	if err != nil || ended {
		return err
	}
	w.end, w.by = accepts, spot{base, "policy " + policy, true}
	if policy == "drop" {
		w.end = drops
	}
	return nil
}

// chain tells whether a rule has certainly ended the base chain. sure is whether
// the packet certainly comes this way, and all whether every packet does.
func (w *walk) chain(name string, sure answer, all bool, depth int) (bool, error) {
	if depth > deepest {
		return false, nil
	}
	if all {
		w.through = append(w.through, name)
	}
	rules, err := w.rules(name)
	if err != nil {
		return false, err
	}
	for _, r := range rules {
		if r.match == no {
			if r.does == translates {
				w.near = append(w.near, r)
			}
			continue
		}
		match := min(sure, r.match)
		switch r.does {
		case passes:
		case jumps, goes:
			ended, err := w.chain(r.to, match, all && !r.some, depth+1)
			if err != nil || ended {
				return ended, err
			}
			if r.does == goes && match == yes {
				return false, nil
			}
			if r.does == goes {
				sure = maybe
			}
		case returns:
			if match == yes {
				return false, nil
			}
			sure = min(sure, maybe)
		case unclear:
			for _, a := range []action{accepts, drops, translates} {
				w.perhaps(a, spot{name, r.says, all && !r.some})
			}
		default:
			if match == yes {
				w.end, w.by = r.does, spot{name, r.says, all && !r.some}
				return true, nil
			}
			w.perhaps(r.does, spot{name, r.says, all && !r.some})
		}
	}
	return false, nil
}

func (w *walk) perhaps(a action, s spot) {
	if _, ok := w.may[a]; !ok {
		w.may[a] = s
	}
}

// happens tells whether the walk ends in a.
func (w *walk) happens(a action) (answer, spot) {
	if w.end == a {
		for other := range w.may {
			if other != a {
				return maybe, w.by
			}
		}
		return yes, w.by
	}
	if s, ok := w.may[a]; ok {
		return maybe, s
	}
	return no, spot{}
}
