package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"golang.org/x/sys/unix"
)

// Firewall is the packet filter of a namespace. The host's is iptables by its
// program and nftables by netlink, another's nftables alone. It opens and runs nothing before it is needed,
// and is safe for use by several goroutines. It works on the namespace of the
// calling thread, so it must not be called from within Namespace.Do.
type Firewall struct {
	space *Namespace // nil: the host's

	frozen bool // lent by Frozen

	dirs []string // where iptables is looked for; nil: programDirs

	finding sync.Mutex           // guards named
	named   map[string]*IPTables // those that were found

	mu  sync.Mutex // guards nft: one exchange with the kernel at a time
	nft *nft
}

// Firewall returns the host's firewall, the same one each time.
func (k *Kernel) Firewall() *Firewall { return &k.firewall }

// Firewall returns the namespace's own packet filter, the same one each time. For
// the host's, Kernel.Firewall knows more.
func (n *Namespace) Firewall() *Firewall { return &n.firewall }

// where runs f on a thread of the namespace.
func (f *Firewall) where(work func() error) error {
	if f.space == nil {
		return work()
	}
	return f.space.Do(work)
}

func (f *Firewall) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.nft == nil {
		return nil
	}
	err := f.nft.CloseLasting()
	f.nft = nil
	if err != nil {
		return fmt.Errorf("close nftables: %w", err)
	}
	return nil
}

// withNft lends the connection, which stays open: closing it after a deletion
// waits about 10 ms (facts.md, section 9). After an answer that was not to be
// foreseen it is closed, since more answers may be on their way.
func (f *Firewall) withNft(work func(*nft) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.nft == nil {
		if err := f.where(func() (err error) {
			if f.nft, err = openNft(); err == nil {
				f.nft.frozen = f.frozen
			}
			return err
		}); err != nil {
			return err
		}
	}
	err := work(f.nft)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrExist), errors.Is(err, unix.EBUSY):
		return err
	}
	closing := f.nft.CloseLasting()
	f.nft = nil
	return errors.Join(err, closing)
}
