package op

import (
	"errors"
	"fmt"
	"io/fs"

	"netlab/lab"
	"netlab/lab/kernel"
)

// SysctlRestore puts sysctls back to what they were, in one go: the first may
// change the others as a side effect, and they are put right after it.
type SysctlRestore struct {
	NS     string      `json:"ns,omitempty"`
	Values []SysctlWas `json:"values"`
	// Again: it may have been begun and stopped before all was written; see Halfway.
	Again bool `json:"again,omitempty"`
}

// SysctlWas is a key with its value before the lab and the one the lab left.
type SysctlWas struct {
	Key  string `json:"key"`
	Was  string `json:"was"`
	Left string `json:"left"`
	// Follows: writing the first key of the restore brings Was back by itself.
	Follows bool `json:"follows,omitempty"`
}

func (SysctlRestore) Kind() string                               { return "sysctl-restore" }
func (o SysctlRestore) Undo() []lab.Op                           { return nil }
func (o SysctlRestore) Within() []lab.Ref                        { return sysctlWithin(o.NS, o.first().Key) }
func (o SysctlRestore) Shared() string                           { return sysctlShared(o.NS, o.first().Key) }
func (o SysctlRestore) Inverse(*kernel.Kernel) ([]lab.Op, error) { return nil, nil }

// first is the key that was set; the zero value in a journal that holds none.
func (o SysctlRestore) first() SysctlWas {
	if len(o.Values) == 0 {
		return SysctlWas{}
	}
	return o.Values[0]
}

func (o SysctlRestore) Command() lab.Command {
	c := lab.Command{"sysctl", "-w"}
	for _, v := range o.Values {
		if !v.Follows {
			c = append(c, assignment(v.Key, v.Was))
		}
	}
	return lab.In(o.NS, c...)
}

// Apply writes back what still is as the lab left it. What someone else has set
// since is kept, through the side effects too; when that is so of the first key,
// nothing is written and ErrChanged returned.
func (o SysctlRestore) Apply(k *kernel.Kernel) error {
	n, err := undoNamespace(k, o.NS)
	if err != nil {
		return err
	}
	values, err := o.withNewcomers(n)
	if err != nil {
		return err
	}
	target := make([]string, len(values))
	gone := make([]bool, len(values)) // with its device
	for i, v := range values {
		now, err := n.Sysctl(v.Key)
		switch {
		case errors.Is(err, fs.ErrNotExist) && i == 0:
			return fmt.Errorf("sysctl %s: %w", sysctlName(v.Key), lab.ErrGone)
		case errors.Is(err, fs.ErrNotExist):
			gone[i] = true
		case err != nil:
			return err
		case sameValue(now, v.Left):
			target[i] = v.Was
		case o.Again && i > 0 && i < len(o.Values) && sameValue(now, o.brings(v.Key)):
			target[i] = v.Was
		case i == 0 && !sameValue(now, v.Was):
			return fmt.Errorf("sysctl %s is %s, the lab left %s: %w", sysctlName(v.Key), now, v.Left, lab.ErrChanged)
		default:
			target[i] = now
		}
	}
	for i, v := range values {
		if gone[i] {
			continue
		}
		now, err := n.Sysctl(v.Key)
		if err == nil && !sameValue(now, target[i]) {
			err = n.SetSysctl(v.Key, target[i])
		}
		if errors.Is(err, fs.ErrNotExist) { // just now
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Verify looks at the first key: the others may rightly be someone else's.
func (o SysctlRestore) Verify(k *kernel.Kernel) error {
	if len(o.Values) == 0 {
		return nil
	}
	err := verifySysctl(k, o.NS, o.first().Key, o.first().Was)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
