package probe

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Nowhere asks whether no device has an address, on the host or in the namespaces
// named. It moves no thread and waits for nothing. Outcomes:
//
//   - "nowhere" (holds)
//   - "somewhere": "dev" has it, in "ns", or "the host"
//   - "missing": no such namespace
type Nowhere struct {
	Addr netip.Addr `json:"addr"`
	// Spaces are looked at besides the host.
	Spaces []string `json:"spaces,omitempty"`
}

// Command looks at the host; each namespace would need its own.
func (p Nowhere) Command() lab.Command {
	return lab.IP(kernel.Host, "addr", "show", "to", p.Addr.String())
}

func (p Nowhere) Try(_ context.Context, k *kernel.Kernel, _ time.Duration) (lab.Observation, error) {
	for _, ns := range append([]string{kernel.Host}, p.Spaces...) {
		n, err := k.Namespace(ns)
		if err != nil {
			return missing(err)
		}
		addrs, err := kernel.Dump(func() ([]netlink.Addr, error) { return n.Netlink.AddrList(nil, netlink.FAMILY_ALL) })
		if err != nil {
			return lab.Observation{}, fmt.Errorf("list the addresses in %s: %w", n, err)
		}
		for _, a := range addrs {
			if kernel.Addr(a.IP) != p.Addr {
				continue
			}
			link, err := n.Netlink.LinkByIndex(a.LinkIndex)
			if err != nil {
				return lab.Observation{}, fmt.Errorf("look for device %d in %s: %w", a.LinkIndex, n, err)
			}
			return lab.Observation{Outcome: "somewhere", Values: map[string]string{"ns": n.String(), "dev": link.Attrs().Name}}, nil
		}
	}
	return lab.Observation{Holds: true, Outcome: "nowhere"}, nil
}
