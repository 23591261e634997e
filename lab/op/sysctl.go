package op

import (
	"errors"
	"fmt"
	"io/fs"
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

// assignment writes a key as sysctl(8) prints it, with dots, unless a device
// name in it holds a dot: then with the slashes that sysctl takes as well.
func assignment(key, value string) string {
	if !strings.Contains(key, ".") {
		key = strings.ReplaceAll(key, "/", ".")
	}
	return key + "=" + value
}

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
	if was == o.Value {
		return nil, nil
	}
	values := []SysctlWas{{Key: o.Key, Was: was, Left: o.Value}}
	if o.Key == ipForward {
		along, err := forwardingAlong(n, was, o.Value)
		if err != nil {
			return nil, err
		}
		values = append(values, along...)
	}
	return []lab.Op{SysctlRestore{NS: o.NS, Values: values}}, nil
}

const ipForward = "net/ipv4/ip_forward"

// forwardingAlong lists what a change of ip_forward changes along with it: the
// forwarding of every device and of devices to come, and whether redirects are
// accepted (inet_forward_change, net/ipv4/devinet.c).
func forwardingAlong(n *kernel.Namespace, was, value string) ([]SysctlWas, error) {
	const conf = "net/ipv4/conf"
	devices, err := n.SysctlNames(conf)
	if err != nil {
		return nil, err
	}
	not := map[string]string{"0": "1", "1": "0"}
	along := []SysctlWas{{Key: conf + "/all/accept_redirects", Left: not[value]}}
	for _, dev := range devices {
		if dev != "all" { // conf/all/forwarding is ip_forward itself
			along = append(along, SysctlWas{Key: conf + "/" + dev + "/forwarding", Left: value})
		}
	}
	for i, v := range along {
		if along[i].Was, err = n.Sysctl(v.Key); err != nil {
			return nil, err
		}
		back := was
		if i == 0 {
			back = not[was]
		}
		along[i].Follows = along[i].Was == back
	}
	return along, nil
}

func (o SysctlSet) Within() []lab.Ref     { return sysctlWithin(o.NS, o.Key) }
func (o SysctlRestore) Within() []lab.Ref { return sysctlWithin(o.NS, o.Values[0].Key) }

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
func (o SysctlRestore) Shared() string { return sysctlShared(o.NS, o.Values[0].Key) }

func sysctlShared(ns, key string) string {
	if ns != kernel.Host || sysctlDevice(key) != "" {
		return ""
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
	n, err := k.Namespace(o.NS)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("network namespace %s: %w", o.NS, lab.ErrGone)
	}
	if err != nil {
		return err
	}
	target := make([]string, len(o.Values)) // empty: the key is gone
	for i, v := range o.Values {
		now, err := n.Sysctl(v.Key)
		switch {
		case errors.Is(err, fs.ErrNotExist) && i > 0: // its device is gone
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("sysctl %s: %w", v.Key, lab.ErrGone)
		case err != nil:
			return err
		case now == v.Left:
			target[i] = v.Was
		case now == v.Was:
			target[i] = now
		case i == 0:
			return fmt.Errorf("sysctl %s is %s, the lab left %s: %w", v.Key, now, v.Left, lab.ErrChanged)
		default:
			target[i] = now
		}
	}
	for i, v := range o.Values {
		if target[i] == "" {
			continue
		}
		now, err := n.Sysctl(v.Key)
		if err != nil {
			return err
		}
		if now == target[i] {
			continue
		}
		if err := n.SetSysctl(v.Key, target[i]); err != nil {
			return err
		}
	}
	return nil
}

func (o SysctlSet) Verify(k *kernel.Kernel) error { return verifySysctl(k, o.NS, o.Key, o.Value) }

// Verify looks at the first key: the others may rightly be someone else's.
func (o SysctlRestore) Verify(k *kernel.Kernel) error {
	err := verifySysctl(k, o.NS, o.Values[0].Key, o.Values[0].Was)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func verifySysctl(k *kernel.Kernel, ns, key, want string) error {
	n, err := k.Namespace(ns)
	if err != nil {
		return err
	}
	found, err := n.Sysctl(key)
	if err != nil {
		return err
	}
	if found != want {
		return &lab.Mismatch{Object: "sysctl " + strings.ReplaceAll(key, "/", "."), Field: "value", Want: want, Found: found}
	}
	return nil
}
