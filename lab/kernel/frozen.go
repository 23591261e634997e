package kernel

import (
	"errors"
	"maps"
)

// Frozen lends a firewall to read at length: all that is read of nftables by it is
// of one generation of the ruleset, each chain is asked for once, and the kernel
// is asked only at the end whether the ruleset is still the same. Where it is not,
// work is done again, so it must begin anew each time. It has a connection of its
// own and is of no use after work, nor for a change.
func (f *Firewall) Frozen(work func(*Firewall) error) error {
	for range patience {
		once := f.freeze()
		workErr := work(once)
		same, err := once.thawed()
		if err := errors.Join(err, once.close()); err != nil {
			return errors.Join(workErr, err)
		}
		if same {
			return workErr
		}
	}
	return errChanging
}

func (f *Firewall) freeze() *Firewall {
	f.finding.Lock()
	defer f.finding.Unlock()
	return &Firewall{space: f.space, dirs: f.dirs, named: maps.Clone(f.named), frozen: true}
}

// thawed tells whether the ruleset is of the generation that was read, if any was.
func (f *Firewall) thawed() (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.nft == nil || f.nft.memory.generation == 0 {
		return true, nil
	}
	now, err := f.nft.generation()
	return now == f.nft.memory.generation, err
}
