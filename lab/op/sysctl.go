package op

import (
	"errors"
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

func (SysctlSet) Kind() string { return "sysctl-set" }

func (o SysctlSet) Command() lab.Command {
	return lab.In(o.NS, "sysctl", "-w", assignment(o.Key, o.Value))
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
func (o SysctlSet) Undo() []lab.Op { return nil }

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

func (o SysctlSet) Within() []lab.Ref { return sysctlWithin(o.NS, o.Key) }

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
func (o SysctlSet) Shared() string { return sysctlShared(o.NS, o.Key) }

func sysctlShared(ns, key string) string {
	if ns != kernel.Host || sysctlDevice(key) != "" {
		return ""
	}
	if key == allForwarding {
		key = ipForward
	}
	return "sysctl " + key
}

// Alters: see lab.Gatherer.
func (o SysctlSet) Alters() (kernel.Reading, []string) {
	return kernel.ReadAddrs | kernel.ReadRoutes, []string{o.NS}
}

func (o SysctlSet) Apply(k *kernel.Kernel) error {
	n, err := k.Namespace(o.NS)
	if err != nil {
		return err
	}
	return n.SetSysctl(o.Key, o.Value)
}

func (o SysctlSet) Verify(k *kernel.Kernel) error { return verifySysctl(k, o.NS, o.Key, o.Value) }

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
