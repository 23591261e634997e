package kernel

import (
	"io/fs"

	"github.com/google/nftables"
)

// nftMemory is what was read of a ruleset. It is good for as long as the kernel
// says that the ruleset has the same generation: whoever follows packets through
// a firewall reads the same chains many times. Rules come with their counters as
// they were. What is in it must not be changed.
type nftMemory struct {
	generation uint32
	chains     []*nftables.Chain // of all families; nil: not read yet
	rules      map[nftPlace][]*nftables.Rule
}

// nftPlace is a chain by its names.
type nftPlace struct {
	family       nftables.TableFamily
	table, chain string
}

// at begins anew where the ruleset is of another generation.
func (m *nftMemory) at(generation uint32) {
	if m.generation != generation {
		*m = nftMemory{generation: generation}
	}
}

// allChains reads the chains, or remembers them. It is for use in settled.
func (n *nft) allChains() ([]*nftables.Chain, error) {
	if n.memory.chains == nil {
		chains, err := n.ListChains()
		if err != nil {
			return nil, err
		}
		n.memory.chains = chains
	}
	return n.memory.chains, nil
}

// rulesOf reads the rules of a chain, or remembers them. It is for use in settled.
// A chain that is not there is fs.ErrNotExist.
func (n *nft) rulesOf(at nftPlace) ([]*nftables.Rule, error) {
	if rules, ok := n.memory.rules[at]; ok {
		return rules, nil
	}
	chains, err := n.allChains()
	if err != nil {
		return nil, err
	}
	for _, c := range chains {
		if c.Table.Family != at.family || c.Table.Name != at.table || c.Name != at.chain {
			continue
		}
		rules, err := n.GetRules(c.Table, c)
		if err != nil {
			return nil, err
		}
		if n.memory.rules == nil {
			n.memory.rules = map[nftPlace][]*nftables.Rule{}
		}
		n.memory.rules[at] = rules
		return rules, nil
	}
	return nil, fs.ErrNotExist
}
