package op

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"netlab/lab/kernel"
)

const (
	ipForward = "net/ipv4/ip_forward"
	// allForwarding is another name of the same value.
	allForwarding = "net/ipv4/conf/all/forwarding"
	// allRedirects becomes the opposite of what is written to it (inet_forward_change,
	// net/ipv4/devinet.c).
	allRedirects = "net/ipv4/conf/all/accept_redirects"
)

// sysctlsAlong lists what a change of the key from was to value changes along
// with it, with what it was.
func sysctlsAlong(n *kernel.Namespace, key, was, value string) ([]SysctlWas, error) {
	if key == ipForward || key == allForwarding {
		return forwardingAlong(n, was, value)
	}
	dir, name, ok := copied(key)
	if !ok {
		return nil, nil
	}
	devices, err := n.SysctlNames(dir)
	if err != nil {
		return nil, err
	}
	var along []SysctlWas
	for _, dev := range devices {
		if other := dir + "/" + dev + "/" + name; other != key && dev != "all" {
			along = append(along, SysctlWas{Key: other, Left: value})
		}
	}
	return readAlong(n, along, func(SysctlWas) string { return was })
}

// copied tells whether the kernel copies the key's value to devices, and doesn't
// surely copy it back: IPv4's default for devices to come, to those without an
// address or a value of their own (devinet_copy_dflt_conf), and IPv6's for all.
func copied(key string) (dir, name string, ok bool) {
	part := strings.Split(key, "/")
	if len(part) != 5 {
		return "", "", false
	}
	dir, name = strings.Join(part[:3], "/"), part[4]
	switch dir + "/" + part[3] {
	case "net/ipv4/conf/default":
		return dir, name, name != "forwarding"
	case "net/ipv6/conf/all":
		return dir, name, true
	}
	return "", "", false
}

// forwardingAlong: a change of ip_forward changes the forwarding of every device
// and of devices to come, and whether redirects are accepted (inet_forward_change,
// net/ipv4/devinet.c).
func forwardingAlong(n *kernel.Namespace, was, value string) ([]SysctlWas, error) {
	devices, err := n.SysctlNames("net/ipv4/conf")
	if err != nil {
		return nil, err
	}
	along := []SysctlWas{{Key: allRedirects, Left: opposite(value)}}
	for _, dev := range devices {
		if dev != "all" { // that is ip_forward itself
			along = append(along, SysctlWas{Key: forwardingOf(dev), Left: value})
		}
	}
	return readAlong(n, along, func(v SysctlWas) string {
		if v.Key == allRedirects {
			return opposite(was)
		}
		return was
	})
}

// readAlong fills in what the keys are now, and whether they will be so again
// when the kernel gives them the value that back says. A key may have gone with
// its device.
func readAlong(n *kernel.Namespace, along []SysctlWas, back func(SysctlWas) string) ([]SysctlWas, error) {
	var there []SysctlWas
	for _, v := range along {
		was, err := n.Sysctl(v.Key)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		v.Was = was
		v.Follows = sameValue(was, back(v))
		there = append(there, v)
	}
	return there, nil
}

func forwardingOf(dev string) string { return "net/ipv4/conf/" + dev + "/forwarding" }

func opposite(value string) string {
	if value == "0" {
		return "1"
	}
	return "0"
}

// withNewcomers adds the devices that came since ip_forward was set: they took
// the forwarding that the lab left for devices to come, and writing ip_forward
// sets theirs as well.
func (o SysctlRestore) withNewcomers(n *kernel.Namespace) ([]SysctlWas, error) {
	first := o.first()
	if first.Key != ipForward && first.Key != allForwarding {
		return o.Values, nil
	}
	devices, err := n.SysctlNames("net/ipv4/conf")
	if err != nil {
		return nil, err
	}
	was := map[string]string{}
	for _, v := range o.Values {
		was[v.Key] = v.Was
	}
	values := slices.Clone(o.Values)
	for _, dev := range devices {
		if _, known := was[forwardingOf(dev)]; !known && dev != "all" {
			values = append(values, SysctlWas{Key: forwardingOf(dev), Was: was[forwardingOf("default")], Left: first.Left})
		}
	}
	return values, nil
}
