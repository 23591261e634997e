package kernel

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"slices"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Tables and chains of nftables are named by a family as nft(8) writes it, such
// as "ip" or "inet", and their names. What is not there is an error that wraps
// fs.ErrNotExist, what is there already fs.ErrExist, and what can't be deleted
// because others use it unix.EBUSY. A caller without CAP_NET_ADMIN gets
// fs.ErrPermission.

// NftFamily is the family of that name.
func NftFamily(name string) (nftables.TableFamily, error) {
	switch name {
	case "ip":
		return nftables.TableFamilyIPv4, nil
	case "ip6":
		return nftables.TableFamilyIPv6, nil
	case "inet":
		return nftables.TableFamilyINet, nil
	case "bridge":
		return nftables.TableFamilyBridge, nil
	}
	return 0, fmt.Errorf("unknown nftables family %q", name)
}

// FamilyOf is the name of a chain's family, of those that IPv4 goes through; empty
// for the others.
func FamilyOf(c *nftables.Chain) string {
	switch c.Table.Family {
	case nftables.TableFamilyIPv4:
		return "ip"
	case nftables.TableFamilyINet:
		return "inet"
	}
	return ""
}

// NftHook is the hook of that name in the ip, ip6, inet and bridge families
// (NF_INET_* of linux/netfilter.h, NF_BR_* of linux/netfilter_bridge.h).
func NftHook(name string) (nftables.ChainHook, error) {
	for i, hook := range []string{"prerouting", "input", "forward", "output", "postrouting"} {
		if hook == name {
			return nftables.ChainHook(i), nil
		}
	}
	return 0, fmt.Errorf("unknown nftables hook %q", name)
}

// NftTable reads a table.
func (f *Firewall) NftTable(family, name string) (*nftables.Table, error) {
	fam, err := NftFamily(family)
	if err != nil {
		return nil, err
	}
	var table *nftables.Table
	err = f.withNft(func(n *nft) error {
		table, err = n.ListTableOfFamily(name, fam)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read nft table %s %s: %w", family, name, err)
	}
	return table, nil
}

// AddNftTable makes a table, as `nft create table` does.
func (f *Firewall) AddNftTable(family, name string) error {
	fam, err := NftFamily(family)
	if err != nil {
		return err
	}
	err = f.withNft(func(n *nft) error {
		n.CreateTable(&nftables.Table{Family: fam, Name: name})
		return n.Flush()
	})
	if err != nil {
		return fmt.Errorf("add nft table %s %s: %w", family, name, err)
	}
	return nil
}

// DelNftTable deletes a table that nothing is in: no chain, set, map, flowtable
// or object. The kernel itself refuses to delete another (NLM_F_NONREC), so
// nothing that others add in the meantime is lost.
func (f *Firewall) DelNftTable(family, name string) error {
	fam, err := NftFamily(family)
	if err != nil {
		return err
	}
	err = f.withNft(func(n *nft) error {
		return n.change(func() (deletion, error) {
			return deletion{
				message: unix.NFT_MSG_DELTABLE, family: fam,
				attrs: []netlink.Attribute{nftString(unix.NFTA_TABLE_NAME, name)},
			}, nil
		})
	})
	if err != nil {
		return fmt.Errorf("delete nft table %s %s: %w", family, name, err)
	}
	return nil
}

// NftChain reads a chain.
func (f *Firewall) NftChain(family, table, name string) (*nftables.Chain, error) {
	fam, err := NftFamily(family)
	if err != nil {
		return nil, err
	}
	var chain *nftables.Chain
	err = f.withNft(func(n *nft) error {
		_, err := n.settled(func() (err error) {
			chain, err = n.chain(fam, table, name)
			return err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read nft chain %s %s %s: %w", family, table, name, err)
	}
	return chain, nil
}

// chain looks through a dump: the library loses the errno of a single read.
func (n *nft) chain(family nftables.TableFamily, table, name string) (*nftables.Chain, error) {
	chains, err := n.ListChainsOfTableFamily(family)
	if err != nil {
		return nil, err
	}
	for _, c := range chains {
		if c.Table.Family == family && c.Table.Name == table && c.Name == name {
			return c, nil
		}
	}
	return nil, fs.ErrNotExist
}

// AddNftChain makes a chain, as `nft add chain` does. One that is there already
// with the same type, hook and priority is no error: the kernel sets its policy.
func (f *Firewall) AddNftChain(c *nftables.Chain) error {
	err := f.withNft(func(n *nft) error {
		n.AddChain(c)
		return n.Flush()
	})
	if err != nil {
		return fmt.Errorf("add nft chain %s %s: %w", c.Table.Name, c.Name, err)
	}
	return nil
}

// DelNftChain deletes a chain that has no rules, that nothing jumps to, and
// whose policy is still the given one. Reading the policy and deleting are one:
// the kernel refuses when the ruleset has changed in between, and the chain is
// then read again.
func (f *Firewall) DelNftChain(family, table, name string, policy nftables.ChainPolicy) error {
	fam, err := NftFamily(family)
	if err != nil {
		return err
	}
	err = f.withNft(func(n *nft) error {
		return n.change(func() (deletion, error) {
			c, err := n.chain(fam, table, name)
			if err != nil {
				return deletion{}, err
			}
			if c.Policy != nil && *c.Policy != policy {
				return deletion{}, fmt.Errorf("its policy was changed: %w", unix.EBUSY)
			}
			return deletion{
				message: unix.NFT_MSG_DELCHAIN, family: fam,
				attrs: []netlink.Attribute{
					nftString(unix.NFTA_CHAIN_TABLE, table), nftString(unix.NFTA_CHAIN_NAME, name),
				},
			}, nil
		})
	})
	if err != nil {
		return fmt.Errorf("delete nft chain %s %s %s: %w", family, table, name, err)
	}
	return nil
}

// NftRules reads the rules of a chain, in their order.
func (f *Firewall) NftRules(family, table, chain string) ([]*nftables.Rule, error) {
	fam, err := NftFamily(family)
	if err != nil {
		return nil, err
	}
	var rules []*nftables.Rule
	err = f.withNft(func(n *nft) error {
		_, err := n.settled(func() (err error) {
			rules, err = n.rulesOf(nftPlace{fam, table, chain})
			rules = slices.Clone(rules) // whoever asks may sort it or cut it
			return err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the rules of nft chain %s %s %s: %w", family, table, chain, err)
	}
	return rules, nil
}

// AddNftRule appends a rule to its chain.
func (f *Firewall) AddNftRule(r *nftables.Rule) error {
	err := f.withNft(func(n *nft) error {
		n.AddRule(r)
		return n.Flush()
	})
	if err != nil {
		return fmt.Errorf("add a rule to nft chain %s %s: %w", r.Table.Name, r.Chain.Name, err)
	}
	return nil
}

// DelNftRule deletes the one rule of a chain that match picks; where it picks
// none, the error wraps fs.ErrNotExist. Picking and deleting are one, as in
// DelNftChain.
func (f *Firewall) DelNftRule(family, table, chain string, match func(*nftables.Rule) bool) error {
	fam, err := NftFamily(family)
	if err != nil {
		return err
	}
	err = f.withNft(func(n *nft) error {
		return n.change(func() (deletion, error) {
			c, err := n.chain(fam, table, chain)
			if err != nil {
				return deletion{}, err
			}
			rules, err := n.GetRules(c.Table, c)
			if err != nil {
				return deletion{}, err
			}
			for _, r := range rules {
				if match(r) {
					return ruleDeletion(fam, table, chain, r.Handle), nil
				}
			}
			return deletion{}, fs.ErrNotExist
		})
	})
	if err != nil {
		return fmt.Errorf("delete a rule of nft chain %s %s %s: %w", family, table, chain, err)
	}
	return nil
}

func ruleDeletion(family nftables.TableFamily, table, chain string, handle uint64) deletion {
	return deletion{
		message: unix.NFT_MSG_DELRULE, family: family,
		attrs: []netlink.Attribute{
			nftString(unix.NFTA_RULE_TABLE, table), nftString(unix.NFTA_RULE_CHAIN, chain),
			{Type: unix.NFTA_RULE_HANDLE, Data: binary.BigEndian.AppendUint64(nil, handle)},
		},
	}
}
