package probe

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Bridge asks whether a device is a bridge and is up. It moves no thread and
// waits for nothing. A carrier is not asked for: a bridge without a port has none.
// Outcomes:
//
//   - "switching" (holds): "ports" is how many there are
//   - "missing": no such namespace or device
//   - "down": `ip link set … up` was not done
//   - "no-bridge": a device of another kind, "type"
type Bridge struct {
	NS   string `json:"ns,omitempty"`
	Name string `json:"name"`
}

func (p Bridge) Command() lab.Command { return lab.IP(p.NS, "-d", "link", "show", "dev", p.Name) }

func (p Bridge) Try(_ context.Context, k *kernel.Kernel, _ time.Duration) (lab.Observation, error) {
	n, link, err := deviceIn(k, p.NS, p.Name)
	if err != nil {
		return missing(err)
	}
	switch {
	case link.Type() != "bridge":
		return lab.Observation{Outcome: "no-bridge", Values: map[string]string{"type": link.Type()}}, nil
	case link.Attrs().RawFlags&unix.IFF_UP == 0:
		return lab.Observation{Outcome: "down"}, nil
	}
	links, err := kernel.Dump(n.Netlink.LinkList)
	if err != nil {
		return lab.Observation{}, fmt.Errorf("list the links in %s: %w", n, err)
	}
	ports := 0
	for _, l := range links {
		if l.Attrs().MasterIndex == link.Attrs().Index {
			ports++
		}
	}
	return lab.Observation{Holds: true, Outcome: "switching", Values: map[string]string{"ports": strconv.Itoa(ports)}}, nil
}
