package op

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"netlab/lab"
	"netlab/lab/kernel"
)

// SysctlSet sets a sysctl of a namespace.
type SysctlSet struct {
	NS string `json:"ns,omitempty"`
	// Key is the path below /proc/sys, with slashes: device names may hold dots.
	Key   string `json:"key"`
	Value string `json:"value"`
}

// SysctlRestore puts sysctls back to what they were, in one go: the first may
// change the others as a side effect, and they are put right after it.
type SysctlRestore struct {
	NS     string      `json:"ns,omitempty"`
	Values []SysctlWas `json:"values"`
}

// SysctlWas is a key with its value before the lab and the one the lab left.
type SysctlWas struct {
	Key  string `json:"key"`
	Was  string `json:"was"`
	Left string `json:"left"`
	// Follows: writing the first key of the restore brings Was back by itself.
	Follows bool `json:"follows,omitempty"`
}

func (SysctlSet) Kind() string     { return "sysctl-set" }
func (SysctlRestore) Kind() string { return "sysctl-restore" }

func (o SysctlSet) Command() lab.Command {
	return lab.In(o.NS, "sysctl", "-w", assignment(o.Key, o.Value))
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

func assignment(key, value string) string { return sysctlName(key) + "=" + value }

// sysctlName writes a key as sysctl(8) prints it, with dots, unless a device
// name in it holds a dot: then with the slashes that sysctl takes as well.
func sysctlName(key string) string {
	if strings.Contains(key, ".") {
		return key
	}
	return strings.ReplaceAll(key, "/", ".")
}

// sameValue: what is written with spaces may be read with tabs.
func sameValue(a, b string) bool { return slices.Equal(strings.Fields(a), strings.Fields(b)) }

// Undo can't know what was there before; see Inverse.
func (o SysctlSet) Undo() []lab.Op     { return nil }
func (o SysctlRestore) Undo() []lab.Op { return nil }

func (o SysctlRestore) Inverse(*kernel.Kernel) ([]lab.Op, error) { return nil, nil }

// Inverse reads the value before, and those that the kernel changes along.
func (o SysctlSet) Inverse(k *kernel.Kernel) ([]lab.Op, error) {
	n, err := k.Namespace(o.NS)
	if err != nil {
		return nil, err
	}
	was, err := n.Sysctl(o.Key)
	if err != nil {
		return nil, err
	}
	if sameValue(was, o.Value) {
		return nil, nil
	}
	values := []SysctlWas{{Key: o.Key, Was: was, Left: o.Value}}
	along, err := sysctlsAlong(n, o.Key, was, o.Value)
	if err != nil {
		return nil, err
	}
	return []lab.Op{SysctlRestore{NS: o.NS, Values: append(values, along...)}}, nil
}

func (o SysctlSet) Within() []lab.Ref     { return sysctlWithin(o.NS, o.Key) }
func (o SysctlRestore) Within() []lab.Ref { return sysctlWithin(o.NS, o.first().Key) }

// first is the key that was set; the zero value in a journal that holds none.
func (o SysctlRestore) first() SysctlWas {
	if len(o.Values) == 0 {
		return SysctlWas{}
	}
	return o.Values[0]
}

// sysctlWithin is the device that a per-device key belongs to:
// net/FAMILY/conf/DEV/… or net/FAMILY/neigh/DEV/….
func sysctlWithin(ns, key string) []lab.Ref {
	if dev := sysctlDevice(key); dev != "" {
		return linkRefs(ns, dev)
	}
	return netnsRef(ns)
}

func sysctlDevice(key string) string {
	part := strings.Split(key, "/")
	if len(part) == 5 && (part[2] == "conf" || part[2] == "neigh") && part[3] != "all" && part[3] != "default" {
		return part[3]
	}
	return ""
}

// Shared: a key of the whole host may be needed by several labs.
func (o SysctlSet) Shared() string     { return sysctlShared(o.NS, o.Key) }
func (o SysctlRestore) Shared() string { return sysctlShared(o.NS, o.first().Key) }

func sysctlShared(ns, key string) string {
	if ns != kernel.Host || sysctlDevice(key) != "" {
		return ""
	}
	if key == allForwarding {
		key = ipForward
	}
	return "sysctl " + key
}

func (o SysctlSet) Apply(k *kernel.Kernel) error {
	n, err := k.Namespace(o.NS)
	if err != nil {
		return err
	}
	return n.SetSysctl(o.Key, o.Value)
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

func (o SysctlSet) Verify(k *kernel.Kernel) error { return verifySysctl(k, o.NS, o.Key, o.Value) }

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

func verifySysctl(k *kernel.Kernel, ns, key, want string) error {
	n, err := foundNamespace(k, ns)
	if err != nil {
		return err
	}
	found, err := n.Sysctl(key)
	if errors.Is(err, fs.ErrNotExist) {
		return &lab.Mismatch{Object: "sysctl " + sysctlName(key), Field: "name", Want: "in " + n.String(), Found: "missing", Err: err}
	}
	if err != nil {
		return err
	}
	if !sameValue(found, want) {
		return &lab.Mismatch{Object: "sysctl " + sysctlName(key), Field: "value", Want: want, Found: found}
	}
	return nil
}
