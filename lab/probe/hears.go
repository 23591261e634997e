package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"netlab/lab"
	"netlab/lab/kernel"
)

// Hears lets one namespace ask by ARP for an address, as Neighbour does, and
// listens at a device of another one that has no part in it. It shows whether the
// two are on one link: there a broadcast reaches everybody. Threads visit both
// namespaces to open sockets. Outcomes:
//
//   - "heard": the question came by; "mac", the asker's
//   - "heard-nothing": it was asked and answered, and did not come by; "mac"
//   - "silent": nobody answered within patience, so what was heard proves nothing;
//     never holds
//   - "deaf": the listening device is down or has no carrier; never holds
//   - "missing": no such namespace or device
//
// A permanent entry for Target at the asker is an error: its kernel never asks.
type Hears struct {
	// Dev in NS is the device that listens.
	NS  string `json:"ns,omitempty"`
	Dev string `json:"dev"`
	// From asks, on FromDev.
	From    string     `json:"from,omitempty"`
	FromDev string     `json:"from_dev"`
	Target  netip.Addr `json:"target"`
	// Want says which holds: true: "heard", false: "heard-nothing".
	Want bool `json:"want"`
}

// stragglers is how long a copy of a question may be later than the answer. A
// bridge floods a frame to all ports before anything of it is delivered
// (br_flood), and each delivery of a veth joins one queue of the CPU (netif_rx),
// so a copy is handled before the answer is made, let alone back. Only where
// packets are spread over CPUs (RPS, threaded NAPI) can another CPU be late with
// it, by the time that a queue takes.
const stragglers = 20 * time.Millisecond

func (p Hears) Command() lab.Command { return lab.In(p.NS, "tcpdump", "-c1", "-ni", p.Dev, "arp") }

func (p Hears) Try(ctx context.Context, k *kernel.Kernel, patience time.Duration) (lab.Observation, error) {
	if !p.Target.Is4() {
		return lab.Observation{}, fmt.Errorf("ARP asks for IPv4 addresses, not %s", p.Target)
	}
	n, dev, err := deviceIn(k, p.NS, p.Dev)
	if err != nil {
		return missing(err)
	}
	from, asker, err := deviceIn(k, p.From, p.FromDev)
	if err != nil {
		return missing(err)
	}
	if dev.Attrs().RawFlags&unix.IFF_UP == 0 || dev.Attrs().RawFlags&unix.IFF_LOWER_UP == 0 {
		return lab.Observation{Outcome: "deaf"}, nil
	}
	mac := asker.Attrs().HardwareAddr
	if len(mac) != 6 {
		return lab.Observation{}, fmt.Errorf("%s in %s is no Ethernet device", p.FromDev, from)
	}
	ear, err := watch(n, dev.Attrs().Index, arpRequest(mac, p.Target))
	if err != nil {
		return lab.Observation{}, err
	}
	defer func() { go ear.close() }() // slow, see watch

	answer, err := arpQuestion{n: from, dev: asker.Attrs().Index, target: p.Target}.ask(ctx, patience)
	if err != nil {
		return lab.Observation{}, fmt.Errorf("ask for %s on %s in %s: %w", p.Target, p.FromDev, from, err)
	}
	if answer == nil {
		return lab.Observation{Outcome: "silent"}, nil
	}
	heard, err := ear.catches(ctx, stragglers)
	if err != nil {
		return lab.Observation{}, fmt.Errorf("listen on %s in %s: %w", p.Dev, n, err)
	}
	o := lab.Observation{Holds: heard == p.Want, Outcome: "heard-nothing", Values: map[string]string{"mac": mac.String()}}
	if heard {
		o.Outcome = "heard"
	}
	return o, nil
}

// catches tells whether a message is there, or comes within that time.
func (s *socket) catches(ctx context.Context, within time.Duration) (bool, error) {
	wait, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	defer s.until(wait)()
	_, _, err := s.receive(make([]byte, 64))
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return false, nil
	}
	return false, err
}
