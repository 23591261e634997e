package kernel

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/coreos/go-iptables/iptables"
	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// NftChains lists the chains of every table of every family, those that
// iptables-nft makes among them. A kernel without nftables has none.
func (f *Firewall) NftChains() ([]*nftables.Chain, error) {
	return listNft(f, "chains", func(n *nft) (chains []*nftables.Chain, err error) {
		_, err = n.settled(func() (err error) {
			chains, err = n.allChains()
			chains = slices.Clone(chains) // whoever asks may sort it or cut it
			return err
		})
		return chains, err
	})
}

// NftTables lists the tables of every family. A kernel without nftables has none.
func (f *Firewall) NftTables() ([]*nftables.Table, error) {
	return listNft(f, "tables", func(n *nft) ([]*nftables.Table, error) { return n.ListTables() })
}

// listNft reads a list of the whole ruleset, empty on a kernel without nftables.
func listNft[T any](f *Firewall, what string, read func(*nft) ([]T, error)) (all []T, err error) {
	err = f.withNft(func(n *nft) (err error) {
		all, err = read(n)
		return err
	})
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the nftables %s: %w", what, err)
	}
	return all, nil
}

// RulesDigest is short for what can become of a packet by nftables and by
// iptables-legacy: the rules of every chain, and the policies that drop. Tables and
// chains without either are not in it.
func (f *Firewall) RulesDigest() (string, error) {
	sum := sha256.New()
	chains, err := f.NftChains()
	if err != nil {
		return "", err
	}
	for _, c := range chains {
		family := FamilyOf(c)
		if family == "" {
			continue
		}
		if c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop {
			fmt.Fprintln(sum, family, c.Table.Name, c.Name, "drops")
		}
		rules, err := f.NftRules(family, c.Table.Name, c.Name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		for _, r := range rules {
			fmt.Fprintln(sum, family, c.Table.Name, c.Name, r.Handle)
		}
	}
	for _, c := range LegacyChains() {
		lines, err := f.LegacyRules(c.Table, c.Name)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(sum, lines)
	}
	return hex.EncodeToString(sum.Sum(nil)[:12]), nil
}

// LegacyChain is a chain of iptables-legacy.
type LegacyChain struct{ Table, Name string }

// LegacyChains are the built-in ones that are looked at for changes.
func LegacyChains() []LegacyChain {
	return []LegacyChain{
		{"filter", "INPUT"}, {"filter", "FORWARD"}, {"filter", "OUTPUT"}, {"nat", "PREROUTING"}, {"nat", "POSTROUTING"},
	}
}

// LegacyRules reads a chain of the legacy variant as `iptables -S CHAIN` prints
// it, its policy first. Where the table is not registered, or there is no
// iptables-legacy, there are no lines. Where the list of legacy tables can't be
// read, asking registers the table, as it does in Barriers.
func (f *Firewall) LegacyRules(table, chain string) ([]string, error) {
	there, err := f.LegacyTable(table)
	if err != nil || !there {
		return nil, err
	}
	legacy, err := f.IPTablesOf(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	lines, err := legacy.List(table, chain)
	var refused *iptables.Error
	if errors.Is(err, fs.ErrNotExist) || errors.As(err, &refused) && refused.ExitStatus() == 3 { // the kernel has no such table
		return nil, nil
	}
	return lines, err
}
