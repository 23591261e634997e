package probe

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"

	"netlab/lab"
	"netlab/lab/iproute"
	"netlab/lab/kernel"
)

// Knows asks what the neighbour table of a namespace says of an address, without a
// question being sent to anybody: what the last traffic left. It moves no thread
// and waits for nothing. Outcomes:
//
//   - "known" (holds): "mac", and "state" as `ip neigh` has it
//   - "known-other": the same, and "want", the MAC expected
//   - "unknown": no entry, or one without a MAC; "state" where there is one, such
//     as FAILED
//   - "missing": no such namespace or device, WantDev included
type Knows struct {
	NS   string     `json:"ns,omitempty"`
	Dev  string     `json:"dev"`
	Addr netip.Addr `json:"addr"`
	// WantDev in WantNS is the device whose MAC, as it is now, is expected. Empty:
	// any will do.
	WantNS  string `json:"want_ns,omitempty"`
	WantDev string `json:"want_dev,omitempty"`
	// WantMAC is the MAC expected, where that is known beforehand; WantDev then
	// counts for nothing.
	WantMAC string `json:"want_mac,omitempty"`
}

func (p Knows) Command() lab.Command {
	return lab.IP(p.NS, "neigh", "show", p.Addr.String(), "dev", p.Dev)
}

func (p Knows) Try(_ context.Context, k *kernel.Kernel, _ time.Duration) (lab.Observation, error) {
	n, dev, err := deviceIn(k, p.NS, p.Dev)
	if err != nil {
		return missing(err)
	}
	want, err := wantedMAC(k, p.WantMAC, p.WantNS, p.WantDev)
	if err != nil {
		return missing(err)
	}
	e, err := arpQuestion{n: n, dev: dev.Attrs().Index, target: p.Addr}.find()
	if err != nil {
		return lab.Observation{}, fmt.Errorf("look for %s on %s in %s: %w", p.Addr, p.Dev, n, err)
	}
	if e == nil {
		return lab.Observation{Outcome: "unknown"}, nil
	}
	values := map[string]string{"state": iproute.NeighState(e.State)}
	// What is being asked anew after it failed has its old MAC still.
	if len(e.HardwareAddr) == 0 || e.State&(netlink.NUD_INCOMPLETE|netlink.NUD_FAILED) != 0 {
		return lab.Observation{Outcome: "unknown", Values: values}, nil
	}
	values["mac"] = e.HardwareAddr.String()
	if want != nil && want.String() != values["mac"] {
		values["want"] = want.String()
		return lab.Observation{Outcome: "known-other", Values: values}, nil
	}
	return lab.Observation{Holds: true, Outcome: "known", Values: values}, nil
}
