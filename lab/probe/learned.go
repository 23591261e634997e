package probe

import (
	"context"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Learned asks whether a bridge's forwarding table has the MAC of a device, learned
// from a frame that came in: an entry that somebody has set, or the bridge's own,
// doesn't count. It moves no thread and waits for nothing. Outcomes:
//
//   - "learned" (holds): "mac", "port"
//   - "elsewhere": learned behind another port than WantPort; the same and "want"
//   - "not-learned": "mac"
//   - "missing": no such namespace or device
type Learned struct {
	NS     string `json:"ns,omitempty"`
	Bridge string `json:"bridge"`
	// OfDev in OfNS is the device whose MAC, as it is now, is looked for.
	OfNS  string `json:"of_ns,omitempty"`
	OfDev string `json:"of_dev"`
	// WantPort is the bridge's port that it is expected behind. Empty: any.
	WantPort string `json:"want_port,omitempty"`
}

func (p Learned) Command() lab.Command {
	c := lab.Command{"bridge"}
	if p.NS != kernel.Host {
		c = append(c, "-n", p.NS)
	}
	return append(c, "fdb", "show", "br", p.Bridge)
}

func (p Learned) Try(_ context.Context, k *kernel.Kernel, _ time.Duration) (lab.Observation, error) {
	n, bridge, err := deviceIn(k, p.NS, p.Bridge)
	if err != nil {
		return missing(err)
	}
	mac, err := macAt(k, p.OfNS, p.OfDev)
	if err != nil {
		return missing(err)
	}
	entries, err := kernel.Dump(func() ([]netlink.Neigh, error) { return n.Netlink.NeighList(0, unix.AF_BRIDGE) })
	if err != nil {
		return lab.Observation{}, fmt.Errorf("read the forwarding tables of %s: %w", n, err)
	}
	values := map[string]string{"mac": mac.String()}
	for _, e := range entries {
		// Permanent: a port's own; noarp: set by somebody (fdb_to_nud, net/bridge).
		if e.MasterIndex != bridge.Attrs().Index || e.HardwareAddr.String() != mac.String() ||
			e.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) != 0 {
			continue
		}
		port, err := n.Netlink.LinkByIndex(e.LinkIndex)
		if err != nil {
			return lab.Observation{}, fmt.Errorf("look for port %d of %s in %s: %w", e.LinkIndex, p.Bridge, n, err)
		}
		values["port"] = port.Attrs().Name
		if p.WantPort != "" && values["port"] != p.WantPort {
			values["want"] = p.WantPort
			return lab.Observation{Outcome: "elsewhere", Values: values}, nil
		}
		return lab.Observation{Holds: true, Outcome: "learned", Values: values}, nil
	}
	return lab.Observation{Outcome: "not-learned", Values: values}, nil
}
