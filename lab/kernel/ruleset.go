package kernel

import (
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
	var chains []*nftables.Chain
	err := f.withNft(func(n *nft) error {
		_, err := n.settled(func() (err error) {
			chains, err = n.allChains()
			chains = slices.Clone(chains) // whoever asks may sort it or cut it
			return err
		})
		return err
	})
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the nftables chains: %w", err)
	}
	return chains, nil
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
