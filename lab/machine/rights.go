package machine

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"netlab/lab/kernel"
)

// What CanUseHost can find missing, beside the names of capabilities.
const (
	// MissingNetns, MissingMountns: the network or the mount namespace belongs to
	// a user namespace above the caller's, where its capabilities count nothing.
	MissingNetns   = "network namespace"
	MissingMountns = "mount namespace"
	// MissingSysctl: /proc/sys/net can't be written.
	MissingSysctl = "/proc/sys/net"
	// ReadOnlySysctl: nor could anybody, as it is mounted read-only in most containers.
	ReadOnlySysctl = "read-only /proc/sys/net"
)

// CanUseHost tells whether the calling process may build a lab in the network
// namespace it is in, and if not, what it lacks: capabilities by name, or one of
// the Missing constants. It changes nothing.
func CanUseHost() (bool, []string) {
	var missing []string
	effective := effectiveCapabilities()
	for _, c := range []struct {
		name string
		bit  uint
	}{
		{"CAP_NET_ADMIN", unix.CAP_NET_ADMIN}, // links, routes, rules
		{"CAP_SYS_ADMIN", unix.CAP_SYS_ADMIN}, // namespaces and their mounts
		{"CAP_NET_RAW", unix.CAP_NET_RAW},     // probes
	} {
		if effective&(1<<c.bit) == 0 {
			missing = append(missing, c.name)
		}
	}
	if !governed("net") {
		missing = append(missing, MissingNetns)
	}
	if !governed("mnt") {
		missing = append(missing, MissingMountns)
	}
	// Opening alone asks for the right; without O_TRUNC nothing is written.
	f, err := os.OpenFile(kernel.SysctlPath("net/ipv4/ip_forward"), os.O_WRONLY, 0)
	switch {
	case errors.Is(err, unix.EROFS):
		missing = append(missing, ReadOnlySysctl)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		missing = append(missing, MissingSysctl)
	case err == nil:
		_ = f.Close() // nothing was written
	} // any other error says nothing of rights, and comes again when it is in the way
	return len(missing) == 0, missing
}

// effectiveCapabilities is the calling thread's set; 0 where it can't be read.
func effectiveCapabilities() uint64 {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		return 0
	}
	return uint64(data[1].Effective)<<32 | uint64(data[0].Effective)
}

// governed tells whether a namespace of this process belongs to its own user
// namespace or one below: the kernel hands out no other owner (ioctl_ns(2),
// NS_GET_USERNS, EPERM). A kernel too old to say (before 4.9) is believed.
func governed(ns string) bool {
	f, err := os.Open("/proc/thread-self/ns/" + ns)
	if err != nil {
		return false
	}
	defer f.Close()
	owner, err := unix.IoctlRetInt(int(f.Fd()), unix.NS_GET_USERNS)
	if err != nil {
		return !errors.Is(err, unix.EPERM)
	}
	_ = unix.Close(owner)
	return true
}
