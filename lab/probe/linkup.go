package probe

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// LinkUp asks whether a device is up, has a carrier and bears an address. It
// moves no thread and waits for nothing. Outcomes:
//
//   - "up" (holds)
//   - "missing": no such namespace or device
//   - "down": `ip link set … up` was not done
//   - "no-carrier": up, but the other end is not
//   - "no-address": up, without Addr; "addrs" lists what it has instead, comma
//     between
type LinkUp struct {
	NS   string `json:"ns,omitempty"`
	Link string `json:"link"`
	// Addr is the address with its prefix length. Zero: any or none will do.
	Addr netip.Prefix `json:"addr,omitzero"`
}

func (p LinkUp) Command() lab.Command { return lab.IP(p.NS, "-br", "addr", "show", "dev", p.Link) }

func (p LinkUp) Try(_ context.Context, k *kernel.Kernel, _ time.Duration) (lab.Observation, error) {
	n, link, err := deviceIn(k, p.NS, p.Link)
	if err != nil {
		return missing(err)
	}
	switch flags := link.Attrs().RawFlags; {
	case flags&unix.IFF_UP == 0:
		return lab.Observation{Outcome: "down"}, nil
	case flags&unix.IFF_LOWER_UP == 0:
		return lab.Observation{Outcome: "no-carrier"}, nil
	}
	if !p.Addr.IsValid() {
		return lab.Observation{Holds: true, Outcome: "up"}, nil
	}
	addrs, err := kernel.Dump(func() ([]netlink.Addr, error) { return n.Netlink.AddrList(link, netlink.FAMILY_V4) })
	if err != nil {
		return lab.Observation{}, fmt.Errorf("list addresses of %s in %s: %w", p.Link, n, err)
	}
	found := ""
	for _, a := range addrs {
		has := a.IPNet.String()
		if has == p.Addr.String() {
			return lab.Observation{Holds: true, Outcome: "up"}, nil
		}
		if found != "" {
			found += ","
		}
		found += has
	}
	return lab.Observation{Outcome: "no-address", Values: map[string]string{"addrs": found}}, nil
}
